//! The connection pool. Every connection gets its timeouts, and English, before anybody uses it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{Hook, HookError};
use diesel::ConnectionError;
use diesel_async::pooled_connection::deadpool::{Object, Pool as Deadpool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, PoolError, RecyclingMethod};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures::FutureExt;
use tokio::time::timeout;
use tokio_postgres::{Config, NoTls};

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
    /// How long a new connection may take to open.
    pub connect_timeout: Duration,
    /// How long to wait for a connection in all, be it a free one or a new one.
    pub acquire_timeout: Duration,
    /// PostgreSQL ends a statement that takes longer.
    pub statement_timeout: Duration,
}

/// What went wrong is partly known by the server's own words (see [`DbError`]): it is asked for them untranslated. A role that may
/// not ask for that, which takes a superuser or `GRANT SET ON PARAMETER lc_messages`, goes on with what the server is set to.
const ENGLISH: &str = "DO $$ BEGIN SET lc_messages = 'C'; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$";

/// A pool; connections are opened on first use.
///
/// # Errors
/// When the pool itself cannot be built.
pub fn build_pool(config: &PoolConfig) -> Result<Pool, DbError> {
    let (statement_ms, connect_timeout) = (config.statement_timeout.as_millis(), config.connect_timeout);
    let mut manager = ManagerConfig::default();
    manager.recycling_method = RecyclingMethod::Fast; // a connection that is known to be closed is not handed out
    manager.custom_setup = Box::new(move |url| {
        let url = url.to_owned();
        async move {
            let mut conn = connect(&url, connect_timeout).await?;
            conn.batch_execute(&format!(
                "SET statement_timeout = {statement_ms}; SET idle_in_transaction_session_timeout = {statement_ms}; \
                 SET timezone = 'UTC'; {ENGLISH}"
            ))
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(conn)
        }
        .boxed()
    });
    let manager = AsyncDieselConnectionManager::<Conn>::new_with_config(config.url.clone(), manager);
    let silence = Silence::default();
    Deadpool::builder(manager)
        .max_size(config.max_connections)
        .pre_recycle(Hook::async_fn(move |conn, metrics| {
            ask_if_idle(conn, metrics.last_used(), Arc::clone(&silence)).boxed()
        }))
        .wait_timeout(Some(config.acquire_timeout))
        .create_timeout(Some(config.connect_timeout))
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(|error| DbError::Pool(error.to_string()))
}

/// What tokio-postgres takes for the idle time where the URL gives none.
const NO_IDLE_GIVEN: Duration = Duration::from_secs(2 * 60 * 60);

/// Opens a connection that finds out by itself within half a minute that the other end is gone: a machine that lost its
/// power closes nothing, and the system's own patience is a quarter of an hour. What the URL says of this holds.
async fn connect(url: &str, connect_timeout: Duration) -> Result<Conn, ConnectionError> {
    let mut config: Config = url.parse().map_err(refused)?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(connect_timeout);
    }
    if config.get_keepalives_idle() == NO_IDLE_GIVEN {
        config.keepalives_idle(Duration::from_secs(10));
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(Duration::from_secs(5));
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(3);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(10));
    }
    let (client, connection) = config.connect(NoTls).await.map_err(refused)?;
    Conn::try_from_client_and_connection(client, connection).await
}

fn refused(error: tokio_postgres::Error) -> ConnectionError {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
    ConnectionError::BadConnection(format!("{error}{}", cause.unwrap_or_default()))
}

/// A connection that nobody used for so long may lead nowhere without our having heard of it.
const ASKED_AFTER: Duration = Duration::from_secs(10);
/// Who does not answer within this is not there.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// When a connection last gave no answer. All others that nobody used since may lead to the same place. Those that are idle for
/// long are not even asked: one after the other, that would take longer than anybody waits.
type Silence = Arc<Mutex<Option<Instant>>>;

/// Asks before a connection is used that was idle for long. Asking each time would cost every use a round trip.
async fn ask_if_idle(conn: &mut Conn, idle: Duration, silence: Silence) -> Result<(), HookError<PoolError>> {
    let noticed = *silence.lock().unwrap_or_else(PoisonError::into_inner);
    match (idle >= ASKED_AFTER, noticed.is_some_and(|at| at.elapsed() < idle)) {
        (false, false) => return Ok(()),
        (true, true) => return Err(HookError::message("idle since before another gave no answer")),
        (true, false) | (false, true) => {}
    }
    match timeout(ANSWERED_WITHIN, conn.batch_execute("SELECT 1")).await {
        Ok(asked) => asked.map_err(|error| HookError::Backend(PoolError::QueryError(error))),
        Err(_) => {
            *silence.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            tracing::warn!("an idle connection to PostgreSQL gives no answer; it is given up, and those like it");
            Err(HookError::message("no answer"))
        }
    }
}

/// A connection from the pool.
///
/// # Errors
/// [`DbError::Pool`] when none is to be had in time.
pub async fn acquire(pool: &Pool) -> Result<PooledConn, DbError> {
    let got = match pool.timeouts().wait {
        Some(limit) => timeout(limit, pool.get())
            .await
            .map_err(|_| DbError::Pool(format!("none within {limit:?}")))?,
        None => pool.get().await,
    };
    got.map_err(|error| DbError::Pool(error.to_string()))
}
