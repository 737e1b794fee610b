//! What reading a network does to our rows. The cursor moves in the same transaction as the effects, under its lock, and
//! only if it still stands where it stood when the blocks were fetched.

mod apply;
mod finality;
mod fork;

pub use apply::{Applied, apply_in_tx, start};
pub use finality::{SolidOutcome, finalise, set_solid_in_tx};
pub use fork::{ForkOutcome, revert_in_tx};

use chrono::{DateTime, Utc};
use db::models::ChainCursor;
use db::{Conn, Pool, run_tx};
use kernel::IdGen;
use serde_json::json;

use crate::DomainError;
use crate::findings::{self, FindingKind};

/// Stops scanning a network until an operator clears it: money must not move on blocks that we cannot explain. `false`:
/// the cursor no longer stands on the block that the caller judged from, so what it saw explains itself.
///
/// # Errors
/// When the database fails.
pub async fn halt(
    pool: &Pool,
    ids: &dyn IdGen,
    (network, head_block_id): (&str, &str),
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool, DomainError> {
    run_tx(pool, "halt_scan", async |conn| {
        if lock_at(conn, network, head_block_id).await?.is_none() {
            return Ok(false);
        }
        ChainCursor::set_halted(conn, network, Some(reason), now).await?;
        findings::record_in_tx(
            conn,
            ids,
            FindingKind::ScanHalted,
            network,
            json!({ "reason": reason }),
            now,
        )
        .await?;
        Ok(true)
    })
    .await
}

/// Lets a halted network be read on.
///
/// # Errors
/// [`DomainError::NotFound`] for an unknown network.
pub async fn resume(pool: &Pool, network: &str, now: DateTime<Utc>) -> Result<(), DomainError> {
    run_tx(pool, "resume_scan", async |conn| {
        if !ChainCursor::set_halted(conn, network, None, now).await? {
            return Err(DomainError::NotFound("network"));
        }
        findings::clear_in_tx(conn, FindingKind::ScanHalted, network, now).await
    })
    .await
}

/// The cursor under lock, if it still stands on the block that the caller fetched from.
pub(crate) async fn lock_at(
    conn: &mut Conn,
    network: &str,
    head_block_id: &str,
) -> Result<Option<ChainCursor>, DomainError> {
    let cursor = ChainCursor::lock(conn, network)
        .await?
        .ok_or(DomainError::NotFound("network"))?;
    Ok((cursor.head_block_id == head_block_id && cursor.halted_at.is_none()).then_some(cursor))
}
