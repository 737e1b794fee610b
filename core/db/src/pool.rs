//! The connection pool. Every connection gets its timeouts before anybody uses it.

use std::time::Duration;

use deadpool::managed::{Hook, HookError};
use diesel::ConnectionError;
use diesel_async::pooled_connection::deadpool::{Object, Pool as Deadpool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, PoolError, RecyclingMethod};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures::FutureExt;

use crate::DbError;

/// One connection.
pub type Conn = AsyncPgConnection;
/// The pool of them.
pub type Pool = Deadpool<Conn>;
/// A connection that goes back to its pool when dropped.
pub type PooledConn = Object<Conn>;

/// How many connections, and how long anything may take.
#[derive(Clone)]
pub struct PoolConfig {
    /// `postgres://…`; holds a password, so never shown.
    pub url: String,
    /// Upper bound of open connections.
    pub max_connections: usize,
    /// How long to wait for a free connection, and for a new one to open.
    pub acquire_timeout: Duration,
    /// PostgreSQL ends a statement that takes longer.
    pub statement_timeout: Duration,
}

/// A pool; connections are opened on first use.
///
/// # Errors
/// When the pool itself cannot be built.
pub fn build_pool(config: &PoolConfig) -> Result<Pool, DbError> {
    let statement_ms = config.statement_timeout.as_millis();
    let mut manager = ManagerConfig::default();
    manager.recycling_method = RecyclingMethod::Fast; // a connection that is known to be closed is not handed out
    manager.custom_setup = Box::new(move |url| {
        let url = url.to_owned();
        async move {
            let mut conn = AsyncPgConnection::establish(&url).await?;
            conn.batch_execute(&format!(
                "SET statement_timeout = {statement_ms}; SET idle_in_transaction_session_timeout = {statement_ms}; \
                 SET timezone = 'UTC'"
            ))
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(conn)
        }
        .boxed()
    });
    let manager = AsyncDieselConnectionManager::<Conn>::new_with_config(config.url.clone(), manager);
    Deadpool::builder(manager)
        .max_size(config.max_connections)
        .pre_recycle(Hook::async_fn(|conn, metrics| {
            ask_if_idle(conn, metrics.last_used()).boxed()
        }))
        .wait_timeout(Some(config.acquire_timeout))
        .create_timeout(Some(config.acquire_timeout))
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(|error| DbError::Pool(error.to_string()))
}

/// A connection that nobody used for so long may lead nowhere without our having heard of it.
const ASKED_AFTER: Duration = Duration::from_secs(10);

/// Asks before a connection is used that was idle for long. Asking each time would cost every use a round trip.
async fn ask_if_idle(conn: &mut Conn, idle: Duration) -> Result<(), HookError<PoolError>> {
    if idle < ASKED_AFTER {
        return Ok(());
    }
    let asked = conn.batch_execute("SELECT 1").await;
    asked.map_err(|error| HookError::Backend(PoolError::QueryError(error)))
}

/// A connection from the pool.
///
/// # Errors
/// [`DbError::Pool`] when none is to be had in time.
pub async fn acquire(pool: &Pool) -> Result<PooledConn, DbError> {
    pool.get().await.map_err(|error| DbError::Pool(error.to_string()))
}
