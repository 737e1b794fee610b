//! The one way to run a transaction: named, measured, and run again when PostgreSQL asks for it.

use std::error::Error as StdError;
use std::time::Instant;

use diesel::result::Error as Diesel;
use diesel_async::{AnsiTransactionManager, TransactionManager};

use crate::error::is_retryable;
use crate::{Conn, DbError, Pool, acquire, failpoint, trail};

/// How often one transaction is run before its error is handed up.
const MAX_RUNS: u32 = 5;

/// An async closure that may be called again and whose future may move between threads.
///
/// Stable Rust cannot say the second directly, hence the detour over `Fn`. Write closures without `move`, over
/// references: `run_tx(&pool, "name", async |conn| { … })`.
pub trait ReFn<T, R>: AsyncFn(T) -> R + Fn(T) -> <Self as ReFn<T, R>>::Fut {
    /// The future of one call.
    type Fut: Future<Output = R>;
}

impl<F, T, Fut, R> ReFn<T, R> for F
where
    F: AsyncFn(T) -> R + Fn(T) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}

/// Runs `body` in a transaction at READ COMMITTED and commits if it answers `Ok`.
///
/// The body may run more than once: it makes no calls to the outside and takes no ids or times of its own. Serialisation
/// failures and deadlocks are run again, a bounded number of times. A commit whose answer was lost is an error: whether
/// it happened is for the caller's next look at the row to say. Where somebody acts ([`crate::trail`]), it carries a line of that.
///
/// # Errors
/// What the body answered, or why the transaction could not begin or commit.
pub async fn run_tx<R, E, F>(pool: &Pool, name: &'static str, body: F) -> Result<R, E>
where
    E: From<DbError> + StdError + Send + 'static,
    R: Send,
    for<'r> F: AsyncFn(&'r mut Conn) -> Result<R, E> + ReFn<&'r mut Conn, Result<R, E>, Fut: Send> + Send + Sync,
{
    let mut run = 1;
    loop {
        let started = Instant::now();
        let answer = run_once(pool, name, &body).await;
        let again = run < MAX_RUNS && answer.as_ref().err().is_some_and(|error| caused_by_others(error));
        let outcome = match &answer {
            Ok(_) => "committed",
            Err(_) if again => "retried",
            Err(_) => "rolled_back",
        };
        metrics::histogram!("switchyard_transaction_seconds", "name" => name, "outcome" => outcome)
            .record(started.elapsed().as_secs_f64());
        if !again {
            return answer;
        }
        tracing::debug!(transaction = name, run, "transaction is run again");
        run += 1;
    }
}

async fn run_once<R, E, F>(pool: &Pool, name: &str, body: &F) -> Result<R, E>
where
    E: From<DbError> + StdError + Send + 'static,
    R: Send,
    for<'r> F: AsyncFn(&'r mut Conn) -> Result<R, E> + ReFn<&'r mut Conn, Result<R, E>, Fut: Send> + Send + Sync,
{
    let mut conn = acquire(pool).await?;
    let conn: &mut Conn = &mut conn;
    let failed = |error: Diesel| E::from(DbError::from(error));
    failpoint::reach(name, "begin");
    AnsiTransactionManager::begin_transaction(conn).await.map_err(failed)?;
    trail::begin();
    let done = match body(&mut *conn).await {
        Ok(value) => trail::write_in_tx(conn, name)
            .await
            .map_err(failed)
            .map(|told| (value, told)),
        Err(error) => Err(error),
    };
    match done {
        Ok((value, told)) => {
            failpoint::reach(name, "commit");
            AnsiTransactionManager::commit_transaction(conn).await.map_err(failed)?;
            if told {
                trail::committed();
            }
            failpoint::reach(name, "committed");
            Ok(value)
        }
        Err(error) => {
            // the body's error says more than that of a rollback over a lost connection; the pool drops a broken one
            if let Err(rollback) = AnsiTransactionManager::rollback_transaction(conn).await {
                tracing::debug!(error = %rollback, "rollback failed");
            }
            Err(error)
        }
    }
}

fn caused_by_others(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(current) = next {
        if current.downcast_ref::<Diesel>().is_some_and(is_retryable) {
            return true;
        }
        next = current.source();
    }
    false
}
