//! Checkpoints: sums of house accounts over everything that can no longer change, so that balances stay cheap to read.

use chrono::{DateTime, Utc};
use db::Conn;
use diesel::sql_query;
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;

use crate::LedgerError;

/// Writes a checkpoint for every house account that has moved since its last one, and answers how many.
///
/// A transfer carries the id of the transaction that wrote it. The checkpoint sums those below the oldest transaction
/// still running: each of them has committed and is seen here, or never will be. A transfer in an open transaction has
/// an id at or above the bound, whatever its time, and is summed by the next checkpoint. Only a worker may do this.
///
/// # Errors
/// When the database refuses.
pub async fn checkpoint_in_tx(conn: &mut Conn, at: DateTime<Utc>) -> Result<usize, LedgerError> {
    let written = sql_query(include_str!("checkpoint/write.sql"))
        .bind::<Timestamptz, _>(at)
        .execute(conn)
        .await?;
    Ok(written)
}
