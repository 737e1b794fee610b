//! Finality: what is in solidified blocks is settled, and what can no longer land is due to be buried.

use chain::BlockRef;
use chrono::{DateTime, Utc};
use db::models::{BlockRow, ChainCursor, ChainTransaction, Delegation, IntentKind, Outcome};
use db::{Conn, Pool, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::{IdGen, OrderId};

use super::lock_at;
use crate::deposits;
use crate::intents::{Cause, DeathPolicy, FAILED_ON_CHAIN, after_death_in_tx};
use crate::orders::settle_in_tx;
use crate::{DomainError, payouts, stakings, sweeps};

/// What came of moving the solidified head.
#[derive(Debug, PartialEq, Eq)]
pub enum SolidOutcome {
    /// It stands on the given block, or stood there or higher already.
    Done {
        /// To be pushed after the commit.
        wakes: Vec<Wake>,
    },
    /// It is above what we have applied: apply more first.
    Ahead,
    /// At that height we applied another block: a fork is to be followed first.
    Differs,
    /// Somebody else moved the cursor meanwhile: look again.
    Moved,
}

/// Moves the solidified head to `solid`, wakes the jobs that settle what is final, and makes expired transactions due.
///
/// # Errors
/// When the database fails.
pub async fn set_solid_in_tx(
    conn: &mut Conn,
    network: &str,
    head_block_id: &str,
    solid: &BlockRef,
    now: DateTime<Utc>,
) -> Result<SolidOutcome, DomainError> {
    let Some(cursor) = lock_at(conn, network, head_block_id).await? else {
        return Ok(SolidOutcome::Moved);
    };
    if solid.number <= cursor.solid_number {
        return Ok(SolidOutcome::Done { wakes: Vec::new() });
    }
    if solid.number > cursor.head_number {
        return Ok(SolidOutcome::Ahead);
    }
    let ours = BlockRow::find(conn, network, solid.number).await?;
    let Some(ours) = ours.filter(|ours| ours.block_id == solid.id) else {
        return Ok(SolidOutcome::Differs);
    };
    ChainCursor::set_solid(conn, network, (ours.number, &ours.block_id, ours.block_time)).await?;
    let mut wakes = Vec::new();
    if ChainTransaction::any_to_finalise(conn, network, ours.number).await? {
        let job = JobRequest {
            kind: JobKind::ChainSettleFinal,
            object_id: network,
            run_at: now,
            now,
        };
        wakes.extend(enqueue_in_tx(conn, job).await?);
    }
    wakes.extend(deposits::due_in_tx(conn, network, (ours.number, ours.block_time), now).await?);
    if ChainTransaction::wake_expired(conn, network, ours.block_time, now).await? > 0 {
        let job = JobRequest {
            kind: JobKind::ChainResendTransactions,
            object_id: network,
            run_at: now,
            now,
        };
        wakes.extend(enqueue_in_tx(conn, job).await?);
    }
    Ok(SolidOutcome::Done { wakes })
}

/// Makes up to `limit` transactions of solidified blocks final: delivered orders and payouts that left are settled, sweeps
/// and stakings that landed are over, failed attempts go back to work. Answers how many, so that the caller goes on until it is fewer than `limit`. Nothing is final while the network
/// is halted.
///
/// # Errors
/// When the ledger or the database fails; nothing is written then.
pub async fn finalise(
    pool: &Pool,
    ids: &dyn IdGen,
    network: &str,
    limit: i64,
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<(usize, Vec<Wake>), DomainError> {
    run_tx(pool, "finalise", async |conn| {
        let cursor = ChainCursor::find(conn, network)
            .await?
            .ok_or(DomainError::NotFound("network"))?;
        if cursor.halted_at.is_some() {
            return Ok((0, Vec::new())); // the next solidified block after it is resumed asks for this again
        }
        let landed = ChainTransaction::lock_to_finalise(conn, network, cursor.solid_number, limit).await?;
        let all: Vec<_> = landed.iter().map(|transaction| transaction.id).collect();
        if ChainTransaction::set_final(conn, &all, now).await? != landed.len() {
            return Err(DomainError::Broken(
                "an included transaction changed under its lock".into(),
            ));
        }
        let delivered: Vec<_> = landed
            .iter()
            .filter(|tx| tx.intent_kind == IntentKind::Delegate && tx.outcome == Some(Outcome::Ok))
            .map(|tx| tx.intent_id)
            .collect();
        let orders: Vec<OrderId> = Delegation::orders_delivered(conn, &delivered)
            .await?
            .into_iter()
            .map(OrderId)
            .collect();
        settle_in_tx(conn, ids, &orders, now).await?;
        let of_payouts: Vec<_> = landed
            .iter()
            .filter(|tx| tx.intent_kind == IntentKind::Payout)
            .collect();
        payouts::final_in_tx(conn, ids, &of_payouts, now).await?;
        let of_sweeps: Vec<_> = landed
            .iter()
            .filter(|tx| matches!(tx.intent_kind, IntentKind::Sweep | IntentKind::Activate))
            .collect();
        let mut wakes = sweeps::final_in_tx(conn, &of_sweeps, now).await?;
        let of_stakings: Vec<_> = landed.iter().filter(|tx| tx.intent_kind == IntentKind::Stake).collect();
        stakings::final_in_tx(conn, &of_stakings, now).await?;
        let mut failed: Vec<_> = landed.iter().filter(|tx| tx.outcome == Some(Outcome::Failed)).collect();
        failed.sort_by_key(|tx| (tx.wallet_id, tx.id)); // as everybody locks wallets and asks for their reads
        for failed in failed {
            let cause = Cause {
                word: FAILED_ON_CHAIN,
                refusal: None,
            };
            wakes.extend(after_death_in_tx(conn, ids, failed, cause, policy, now).await?);
        }
        Ok((landed.len(), wakes))
    })
    .await
}
