//! Alive and ready. Ready means: PostgreSQL answers with the schema that this program knows. Redis may be away, since
//! the workers find every order in PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use db::models::{ApiKey, ChainTransaction, Delegation, Order, PriceBand, SupplierWallet};
use db::schema::{api_keys, chain_transactions, delegations, orders, price_bands, supplier_wallets};
use db::{Conn, DbError, acquire};
use diesel::{QueryDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use jobs::Queue;
use serde::Serialize;

use crate::App;

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
        tokio::time::timeout(PATIENCE, schema(&app)),
        app.wakes.depth(Queue::Orders)
    );
    let (postgres, migrations) = match database {
        Ok(Ok(())) => ("ok", "ok"),
        Ok(Err(error @ DbError::Query(_))) if error.class() == kernel::ErrorClass::Bug => ("ok", "pending"),
        Ok(Err(_)) | Err(_) => ("unavailable", "unknown"),
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

/// Reads no row of the tables that requests need: fails where a table or a column is missing. The table of applied
/// migrations itself is not for this role to read.
async fn schema(app: &App) -> Result<(), DbError> {
    let mut conn = acquire(&app.pool).await?;
    Ok(look(&mut conn).await?)
}

async fn look(conn: &mut Conn) -> QueryResult<()> {
    api_keys::table.select(ApiKey::as_select()).limit(0).load(conn).await?;
    orders::table.select(Order::as_select()).limit(0).load(conn).await?;
    delegations::table
        .select(Delegation::as_select())
        .limit(0)
        .load(conn)
        .await?;
    chain_transactions::table
        .select(ChainTransaction::as_select())
        .limit(0)
        .load(conn)
        .await?;
    price_bands::table
        .select(PriceBand::as_select())
        .limit(0)
        .load(conn)
        .await?;
    supplier_wallets::table
        .select(SupplierWallet::as_select())
        .limit(0)
        .load(conn)
        .await?;
    Ok(())
}
