//! Alive and ready. Ready means: PostgreSQL answers with the schema that this program knows. Redis may be away, since
//! the workers find every order in PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use db::pending_migrations;
use jobs::Queue;
use kernel::ErrorClass;
use serde::Serialize;

use crate::App;
use crate::problem::chain;

/// How long a dependency may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process runs.
#[derive(Debug, Serialize)]
pub(crate) struct Live {
    status: &'static str,
}

/// Whether the process can serve, by dependency.
#[derive(Debug, Serialize)]
pub(crate) struct Ready {
    /// `ok`, `degraded` (still ready), `unready` or `stopping`.
    status: &'static str,
    dependencies: Dependencies,
}

#[derive(Debug, Serialize)]
struct Dependencies {
    postgres: &'static str,
    migrations: &'static str,
    redis: &'static str,
}

pub(crate) async fn live() -> Json<Live> {
    Json(Live { status: "ok" })
}

pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Ready>) {
    let (database, redis) = tokio::join!(
        tokio::time::timeout(PATIENCE, pending_migrations(&app.pool)),
        app.wakes.depth(Queue::Orders)
    );
    let (postgres, migrations) = match database {
        Ok(Ok(0)) => ("ok", "ok"),
        Ok(Ok(_)) => ("ok", "pending"),
        Ok(Err(error)) => {
            tracing::warn!(cause = chain(&error), "the database is not ready");
            // it answers, but not what it should: never migrated, or without the rights of this role
            let answers = error.class() == ErrorClass::Bug;
            (if answers { "ok" } else { "unavailable" }, "unknown")
        }
        Err(_) => ("unavailable", "unknown"),
    };
    let redis = if redis.is_ok() { "ok" } else { "unavailable" };
    let status = match (migrations, redis) {
        _ if app.stopping.is_cancelled() => "stopping",
        ("ok", "ok") => "ok",
        ("ok", _) => "degraded",
        _ => "unready",
    };
    let code = match status {
        "ok" | "degraded" => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let dependencies = Dependencies {
        postgres,
        migrations,
        redis,
    };
    (code, Json(Ready { status, dependencies }))
}
