//! What became of a staking's transaction: in a block, taken back by a fork, final, or dead.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use db::Conn;
use db::models::{ChainTransaction, Outcome, Staking, StakingState};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::IdGen;
use serde_json::json;
use uuid::Uuid;

use super::claim::{fail_in_tx, is_reserved};
use super::{lock, note_in_tx, subject};
use crate::delegations::Adoption;
use crate::findings::{self, FindingKind};
use crate::intents::{Cause, DeathPolicy, Landed, inclusion};
use crate::orders::guarded;
use crate::wallets::recount_reserved_in_tx;
use crate::{CHAIN, DomainError, WORKER};

/// The longest pause before a staking is tried again whose transactions come to nothing.
const LONGEST_PAUSE: Duration = Duration::hours(1);

/// Blocks carry stakings that did what they say. What is unstaked stays reserved until a read of its wallet shows it.
pub(crate) async fn sent_in_tx(conn: &mut Conn, sent: &[Landed<'_>], now: DateTime<Utc>) -> Result<(), DomainError> {
    if sent.is_empty() {
        return Ok(());
    }
    let by_staking: BTreeMap<Uuid, &Landed<'_>> = sent.iter().map(|one| (one.transaction.intent_id, one)).collect();
    let stakings: Vec<Uuid> = by_staking.keys().copied().collect();
    Staking::lock_many(conn, &stakings).await?;
    for (id, one) in by_staking {
        let arrow = (StakingState::Processing, StakingState::Sent);
        let moved = Staking::set_block(conn, id, arrow, Some(one.block.number), now).await?;
        guarded(moved, "staking", id)?;
        let detail = json!({ "txid": one.transaction.txid, "block": one.block.number });
        note_in_tx(conn, (id, StakingState::Sent), "sent", CHAIN, detail, now).await?;
    }
    Ok(())
}

/// The block that carried a staking, which did what it says, was reverted.
pub(crate) async fn reverted_in_tx(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let staking = lock(conn, transaction.intent_id).await?;
    let arrow = (StakingState::Sent, StakingState::Processing);
    let moved = Staking::set_block(conn, staking.id, arrow, None, now).await?;
    guarded(moved, "staking", staking.id)?;
    let detail = json!({ "txid": transaction.txid, "block": transaction.block_number });
    let state = StakingState::Processing;
    note_in_tx(conn, (staking.id, state), "reverted", CHAIN, detail, now).await?;
    if is_reserved(&staking) {
        // a read may have shown it, and will show it again
        recount_reserved_in_tx(conn, staking.wallet_id, now).await?;
    }
    Ok(())
}

/// Solidified blocks carry these transactions of stakings: those that did what they say are done.
pub(crate) async fn final_in_tx(
    conn: &mut Conn,
    transactions: &[&ChainTransaction],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let done = transactions.iter().filter(|tx| tx.outcome == Some(Outcome::Ok));
    let done: BTreeMap<Uuid, &&ChainTransaction> = done.map(|tx| (tx.intent_id, tx)).collect();
    if done.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = done.keys().copied().collect();
    for staking in Staking::lock_many(conn, &ids).await? {
        let arrow = (StakingState::Sent, StakingState::Done);
        let moved = Staking::set_state(conn, staking.id, arrow, None, now).await?;
        guarded(moved, "staking", staking.id)?;
        let tx = done.get(&staking.id);
        let detail = json!({ "txid": tx.map(|tx| &tx.txid), "block": staking.block_number });
        note_in_tx(conn, (staking.id, StakingState::Done), "done", WORKER, detail, now).await?;
        findings::clear_in_tx(conn, FindingKind::StakingFailed, &subject(staking.wallet_id), now).await?;
    }
    Ok(())
}

/// A transaction of a staking came to nothing, for certain: it is looked at again, later with each failure, or has failed.
pub(crate) async fn give_up_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transaction: &ChainTransaction,
    cause: Cause,
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    let staking = lock(conn, transaction.intent_id).await?;
    let from = StakingState::Processing;
    let detail = json!({ "txid": transaction.txid, "cause": cause.word, "code": transaction.last_code });
    let wake = if staking.attempts >= policy.staking_attempts {
        note_in_tx(conn, (staking.id, from), "attempt_failed", WORKER, detail.clone(), now).await?;
        fail_in_tx(conn, ids, (&staking, from), ("attempts_exhausted", detail), now).await?;
        None
    } else {
        let (to, event) = (StakingState::Requested, "attempt_failed");
        let moved = Staking::set_state(conn, staking.id, (from, to), Some(event), now).await?;
        guarded(moved, "staking", staking.id)?;
        note_in_tx(conn, (staking.id, to), event, WORKER, detail, now).await?;
        let doublings = u32::try_from(staking.attempts.clamp(0, 12)).unwrap_or(12);
        let pause = policy.retry_after.checked_mul(1 << doublings);
        let pause = pause.map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE));
        let job = JobRequest {
            kind: JobKind::WalletsStake,
            object_id: &staking.id.to_string(),
            run_at: now + pause,
            now,
        };
        enqueue_in_tx(conn, job).await?
    };
    if is_reserved(&staking) {
        recount_reserved_in_tx(conn, staking.wallet_id, now).await?;
    }
    Ok(wake)
}

/// Books a transaction of a staking that we held for dead and that a solidified block carries.
pub(crate) async fn adopt_in_tx(
    conn: &mut Conn,
    landed: &Landed<'_>,
    operator: &str,
    now: DateTime<Utc>,
) -> Result<Adoption, DomainError> {
    let (transaction, at) = (landed.transaction, landed.block);
    let staking = lock(conn, transaction.intent_id).await?;
    if staking.state != StakingState::Requested {
        return Ok(Adoption::Refused(
            "its staking is on its way again, or over: the coin is the wallet's own; sync the wallet, and resolve the finding",
        ));
    }
    let moved = ChainTransaction::set_adopted(conn, &inclusion(landed), now).await?;
    guarded(moved, "chain transaction", transaction.id)?;
    let arrow = (StakingState::Requested, StakingState::Done);
    let moved = Staking::set_block(conn, staking.id, arrow, Some(at.number), now).await?;
    guarded(moved, "staking", staking.id)?;
    let (actor, detail) = (
        format!("operator:{operator}"),
        json!({ "txid": transaction.txid, "block": at.number }),
    );
    note_in_tx(conn, (staking.id, StakingState::Done), "adopted", &actor, detail, now).await?;
    if is_reserved(&staking) {
        recount_reserved_in_tx(conn, staking.wallet_id, now).await?;
    }
    Ok(Adoption::Adopted { wakes: Vec::new() })
}
