//! The worker's health port: alive, ready with each dependency by name, and metrics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use db::{Pool, acquire};
use diesel_async::SimpleAsyncConnection;
use serde_json::{Value, json};
use settings::metrics::Metrics;
use tokio_util::sync::CancellationToken;

use crate::queue::Liveness;

/// What the health port looks at.
pub struct Health {
    /// PostgreSQL.
    pub pool: Pool,
    /// The queues of this process.
    pub liveness: Liveness,
    /// What is measured.
    pub metrics: Metrics,
}

/// How long a dependency may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves until told to stop.
///
/// # Errors
/// When the address cannot be bound.
pub async fn serve(listen: SocketAddr, health: Health, stop: CancellationToken) -> std::io::Result<()> {
    let router = Router::new()
        .route("/health/live", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/health/ready", get(ready))
        .route(
            "/metrics",
            get(|State(health): State<Arc<Health>>| async move { health.metrics.render() }),
        )
        .with_state(Arc::new(health));
    let listener = tokio::net::TcpListener::bind(listen).await?;
    axum::serve(listener, router)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

/// Ready when PostgreSQL answers. A silent queue (Redis away) is shown and does not make the worker unready: it goes on
/// by itself when Redis is back, and a restart would not help.
async fn ready(State(health): State<Arc<Health>>) -> (StatusCode, Json<Value>) {
    let asked = tokio::time::timeout(PATIENCE, async {
        let mut conn = acquire(&health.pool).await.ok()?;
        conn.batch_execute("SELECT 1").await.ok()
    });
    let postgres = asked.await.ok().flatten().is_some();
    let silent = health.liveness.silent();
    let status = match (postgres, silent.is_empty()) {
        (false, _) => "unready",
        (true, false) => "degraded",
        (true, true) => "ok",
    };
    let body = json!({
        "status": status,
        "dependencies": {
            "postgres": if postgres { "ok" } else { "unavailable" },
            "redis": if silent.is_empty() { "ok" } else { "unavailable" },
        },
        "silent_queues": silent,
    });
    let code = if postgres {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, Json(body))
}
