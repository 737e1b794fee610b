//! What became of a sweep's transaction: in a block, taken back by a fork, final, or dead.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use db::Conn;
use db::models::{ChainTransaction, Collected, IntentKind, Outcome, SupplierWallet, Sweep, SweepEvent, SweepState};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use ledger::movements::chain_fees_in_tx;
use serde_json::json;
use uuid::Uuid;

use super::claim::mark_in_tx;
use super::{lock, note_in_tx};
use crate::delegations::Adoption;
use crate::intents::{Cause, DeathPolicy, Landed, fee_of, inclusion, sync_soon_in_tx};
use crate::orders::guarded;
use crate::{CHAIN, DomainError, WORKER};

/// The longest pause before a sweep is tried again whose transactions come to nothing.
const LONGEST_PAUSE: Duration = Duration::hours(1);

/// Blocks carry sweeps that did what they say. Coin for new accounts changes nothing before it is final.
pub(crate) async fn sent_in_tx(conn: &mut Conn, sent: &[Landed<'_>], now: DateTime<Utc>) -> Result<(), DomainError> {
    if sent.is_empty() {
        return Ok(());
    }
    let by_sweep: BTreeMap<Uuid, &Landed<'_>> = sent.iter().map(|one| (one.transaction.intent_id, one)).collect();
    let sweeps: Vec<Uuid> = by_sweep.keys().copied().collect();
    Sweep::lock_many(conn, &sweeps).await?;
    for (id, one) in by_sweep {
        let arrow = (SweepState::Processing, SweepState::Sent);
        guarded(Sweep::set_state(conn, id, arrow, None, now).await?, "sweep", id)?;
        let detail = json!({ "txid": one.transaction.txid, "block": one.block.number });
        note_in_tx(conn, (id, SweepState::Sent), "sent", CHAIN, detail, now).await?;
    }
    Ok(())
}

/// The block that carried a transaction of a sweep, which did what it says, was reverted.
pub(crate) async fn reverted_in_tx(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if transaction.intent_kind == IntentKind::Activate {
        return Ok(()); // it was waited for all the time
    }
    let sweep = lock(conn, transaction.intent_id).await?;
    let arrow = (SweepState::Sent, SweepState::Processing);
    let moved = Sweep::set_state(conn, sweep.id, arrow, Some("block_reverted"), now).await?;
    guarded(moved, "sweep", sweep.id)?;
    let detail = json!({ "txid": transaction.txid, "block": transaction.block_number });
    note_in_tx(conn, (sweep.id, SweepState::Processing), "reverted", CHAIN, detail, now).await
}

/// Solidified blocks carry these transactions of sweeps, of both kinds. What each burned is booked, whether it did what it
/// says or not. Answers the wakes to push: where an address exists now its sweep goes on, and the treasury is read.
pub(crate) async fn final_in_tx(
    conn: &mut Conn,
    transactions: &[&ChainTransaction],
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    if transactions.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = transactions.iter().map(|tx| tx.intent_id).collect();
    let sweeps = Sweep::lock_many(conn, &ids).await?;
    let sweeps: BTreeMap<Uuid, Sweep> = sweeps.into_iter().map(|sweep| (sweep.id, sweep)).collect();
    let (mut fees, mut wakes, mut treasuries) = (Vec::new(), Vec::new(), BTreeSet::new());
    for tx in transactions {
        fees.push(fee_of(tx, tx.fee_sun)?);
        let sweep = sweeps.get(&tx.intent_id).ok_or(DomainError::NotFound("sweep"))?;
        match tx.intent_kind {
            _ if tx.outcome != Some(Outcome::Ok) => {}
            IntentKind::Activate => wakes.extend(activated_in_tx(conn, sweep, tx, now).await?),
            _ => {
                let arrow = (SweepState::Sent, SweepState::Completed);
                let moved = Sweep::set_state(conn, sweep.id, arrow, None, now).await?;
                guarded(moved, "sweep", sweep.id)?;
                completed_in_tx(conn, sweep, (tx, tx.block_number), ("completed", WORKER), now).await?;
                treasuries.extend(treasury_of(conn, sweep).await?);
            }
        }
    }
    chain_fees_in_tx(conn, &fees, now).await?;
    let treasuries: Vec<Uuid> = treasuries.into_iter().collect();
    wakes.extend(sync_soon_in_tx(conn, &treasuries, now).await?);
    Ok(wakes)
}

/// The wallet that a sweep went to.
async fn treasury_of(conn: &mut Conn, sweep: &Sweep) -> Result<Option<Uuid>, DomainError> {
    let Some(to) = &sweep.to_address else { return Ok(None) };
    Ok(SupplierWallet::at(conn, to).await?.map(|wallet| wallet.id))
}

/// The address exists for good: the sweep is looked at again.
async fn activated_in_tx(
    conn: &mut Conn,
    sweep: &Sweep,
    tx: &ChainTransaction,
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    let arrow = (SweepState::Activating, SweepState::Planned);
    let moved = Sweep::set_state(conn, sweep.id, arrow, None, now).await?;
    guarded(moved, "sweep", sweep.id)?;
    let detail = json!({ "txid": tx.txid, "block": tx.block_number });
    note_in_tx(conn, (sweep.id, SweepState::Planned), "activated", WORKER, detail, now).await?;
    look_in_tx(conn, sweep.id, now, now).await
}

async fn look_in_tx(
    conn: &mut Conn,
    sweep: Uuid,
    run_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    let job = JobRequest {
        kind: JobKind::DepositsSweep,
        object_id: &sweep.to_string(),
        run_at,
        now,
    };
    Ok(enqueue_in_tx(conn, job).await?)
}

/// What a sweep, which is in its end state, brought is where it was to go.
async fn completed_in_tx(
    conn: &mut Conn,
    sweep: &Sweep,
    (tx, block): (&ChainTransaction, Option<i64>),
    (event, actor): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if let Some(read_block) = sweep.read_block {
        mark_in_tx(conn, sweep, read_block, 0).await?;
    }
    let detail = json!({ "txid": tx.txid, "block": block });
    note_in_tx(conn, (sweep.id, SweepState::Completed), event, actor, detail, now).await
}

/// A transaction of a sweep came to nothing, for certain: the sweep is looked at again, later with each failure.
pub(crate) async fn give_up_in_tx(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    cause: Cause,
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    let sweep = lock(conn, transaction.intent_id).await?;
    let (from, failed) = match transaction.intent_kind {
        IntentKind::Activate => (SweepState::Activating, "activation_failed"),
        _ => (SweepState::Processing, "attempt_failed"),
    };
    let moved = Sweep::set_state(conn, sweep.id, (from, SweepState::Planned), Some(failed), now).await?;
    guarded(moved, "sweep", sweep.id)?;
    let detail = json!({ "txid": transaction.txid, "cause": cause.word, "code": transaction.last_code });
    note_in_tx(conn, (sweep.id, SweepState::Planned), failed, WORKER, detail, now).await?;
    let doublings = u32::try_from(sweep.attempts.clamp(0, 12)).unwrap_or(12);
    let pause = policy.retry_after.checked_mul(1 << doublings);
    let pause = pause.map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE));
    look_in_tx(conn, sweep.id, now + pause, now).await
}

/// Books a transaction of a sweep that we held for dead and that a solidified block carries.
pub(crate) async fn adopt_in_tx(
    conn: &mut Conn,
    landed: &Landed<'_>,
    operator: &str,
    now: DateTime<Utc>,
) -> Result<Adoption, DomainError> {
    let (transaction, at) = (landed.transaction, landed.block);
    let sweep = lock(conn, transaction.intent_id).await?;
    if sweep.state != SweepState::Planned {
        return Ok(Adoption::Refused(
            "its sweep is on its way again, or over: nothing of it is lost; resolve the finding",
        ));
    }
    let live = ChainTransaction::live_of(conn, transaction.intent_kind, sweep.id).await?;
    if live.is_some() {
        return Ok(Adoption::Refused(
            "another transaction of it has landed, too: nothing of it is lost; resolve the finding",
        ));
    }
    let moved = ChainTransaction::set_adopted(conn, &inclusion(landed), now).await?;
    guarded(moved, "chain transaction", transaction.id)?;
    chain_fees_in_tx(conn, &[fee_of(transaction, Some(landed.seen.fee_sun))?], now).await?;
    let actor = format!("operator:{operator}");
    if transaction.intent_kind == IntentKind::Activate {
        let detail = json!({ "txid": transaction.txid, "block": at.number });
        note_in_tx(conn, (sweep.id, SweepState::Planned), "adopted", &actor, detail, now).await?;
        let wake = look_in_tx(conn, sweep.id, now, now).await?;
        return Ok(Adoption::Adopted {
            wakes: wake.into_iter().collect(),
        });
    }
    let (amount, to, read_block) = signed_as(conn, &sweep, &transaction.txid).await?;
    let signed = Collected {
        amount,
        to_address: &to,
        read_block,
        left: 0,
    };
    let moved = Sweep::set_adopted(conn, sweep.id, signed, now).await?;
    guarded(moved, "sweep", sweep.id)?;
    let sweep = Sweep {
        amount: Some(amount),
        to_address: Some(to.clone()),
        read_block: Some(read_block),
        ..sweep
    };
    let block = Some(at.number);
    completed_in_tx(conn, &sweep, (transaction, block), ("adopted", &actor), now).await?;
    Ok(Adoption::Adopted { wakes: Vec::new() })
}

/// What the timeline says that a transaction was signed as: the row tells of the last one alone.
async fn signed_as(conn: &mut Conn, sweep: &Sweep, txid: &str) -> Result<(i64, String, i64), DomainError> {
    let events = SweepEvent::of_sweep(conn, sweep.id).await?;
    let signed = events
        .iter()
        .find(|event| event.event == "signed" && event.detail["txid"] == txid);
    let read = signed.and_then(|event| {
        let (amount, block) = (event.detail["amount"].as_i64()?, event.detail["read_block"].as_i64()?);
        Some((amount, event.detail["to"].as_str()?.to_owned(), block))
    });
    read.ok_or_else(|| DomainError::Broken(format!("the timeline of sweep {} lacks {txid}", sweep.id)))
}
