//! What became of a payout's transaction: in a block, taken back by a fork, final, or dead.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use db::models::{ChainTransaction, EventType, Outcome, Payout, PayoutState};
use db::{Conn, Pool, acquire, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::{IdGen, PayoutId};
use ledger::NetworkName;
use ledger::movements::{chain_fees_in_tx, payout_settle_in_tx};
use serde_json::json;
use uuid::Uuid;

use super::{give_back_in_tx, lock, note_in_tx, tell_in_tx};
use crate::delegations::Adoption;
use crate::intents::{Cause, DeathPolicy, Landed, fee_of, inclusion};
use crate::orders::guarded;
use crate::{CHAIN, DomainError, WORKER};

/// Blocks carry payouts that did what they say.
pub(crate) async fn sent_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    sent: &[Landed<'_>],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if sent.is_empty() {
        return Ok(());
    }
    let by_payout: BTreeMap<Uuid, &Landed<'_>> = sent.iter().map(|one| (one.transaction.intent_id, one)).collect();
    let payouts: Vec<Uuid> = by_payout.keys().copied().collect();
    Payout::lock_many(conn, &payouts).await?;
    for (id, one) in by_payout {
        let arrow = (PayoutState::Processing, PayoutState::Sent);
        guarded(Payout::set_state(conn, id, arrow, None, now).await?, "payout", id)?;
        let detail = json!({ "txid": one.transaction.txid, "block": one.block.number });
        note_in_tx(conn, (id, PayoutState::Sent), "sent", CHAIN, detail, now).await?;
        let txid = Some(one.transaction.txid.as_str());
        tell_in_tx(conn, ids, EventType::PayoutSent, (id, txid), now).await?;
    }
    Ok(())
}

/// The block that carried a payout, which did what it says, was reverted.
pub(crate) async fn reverted_in_tx(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let payout = lock(conn, transaction.intent_id).await?;
    let arrow = (PayoutState::Sent, PayoutState::Processing);
    let moved = Payout::set_state(conn, payout.id, arrow, Some("block_reverted"), now).await?;
    guarded(moved, "payout", payout.id)?;
    let detail = json!({ "txid": transaction.txid, "block": transaction.block_number });
    let state = PayoutState::Processing;
    note_in_tx(conn, (payout.id, state), "reverted", CHAIN, detail, now).await
}

/// Solidified blocks carry these transactions of payouts. Those that did what they say complete their payout, and what
/// each burned is booked, whether it did or not.
pub(crate) async fn final_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transactions: &[&ChainTransaction],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if transactions.is_empty() {
        return Ok(());
    }
    let payouts: Vec<Uuid> = transactions.iter().map(|tx| tx.intent_id).collect();
    Payout::lock_many(conn, &payouts).await?;
    let mut fees = Vec::with_capacity(transactions.len());
    for tx in transactions {
        let network = network_of(tx)?;
        if tx.outcome == Some(Outcome::Ok) {
            let arrow = (PayoutState::Sent, PayoutState::Completed);
            let id = tx.intent_id;
            guarded(Payout::set_state(conn, id, arrow, None, now).await?, "payout", id)?;
            complete_in_tx(conn, ids, (tx, tx.block_number), &network, ("completed", WORKER), now).await?;
        }
        fees.push(fee_of(tx, tx.fee_sun)?);
    }
    chain_fees_in_tx(conn, &fees, now).await?;
    Ok(())
}

/// The money of a payout, which is in its end state, has left.
async fn complete_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (tx, block): (&ChainTransaction, Option<i64>),
    network: &NetworkName,
    (event, actor): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let payout = PayoutId(tx.intent_id);
    payout_settle_in_tx(conn, payout, network, now).await?;
    let detail = json!({ "txid": tx.txid, "block": block });
    note_in_tx(conn, (payout.0, PayoutState::Completed), event, actor, detail, now).await?;
    let told = (payout.0, Some(tx.txid.as_str()));
    tell_in_tx(conn, ids, EventType::PayoutCompleted, told, now).await
}

fn network_of(tx: &ChainTransaction) -> Result<NetworkName, DomainError> {
    tx.network
        .parse()
        .map_err(|_| DomainError::Broken(format!("the network of transaction {}", tx.txid)))
}

/// A transaction of a payout came to nothing, for certain: another is tried, or the money is given back.
pub(crate) async fn give_up_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transaction: &ChainTransaction,
    cause: Cause,
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let payout = lock(conn, transaction.intent_id).await?;
    let detail = json!({ "txid": transaction.txid, "cause": cause.word, "code": transaction.last_code });
    note_in_tx(conn, (payout.id, payout.state), "attempt_failed", WORKER, detail, now).await?;
    if payout.attempts >= policy.payout_attempts {
        let end = (PayoutState::Failed, "attempts_exhausted");
        give_back_in_tx(conn, ids, &payout, end, (WORKER, None), now).await?;
        return Ok(Vec::new());
    }
    let arrow = (PayoutState::Processing, PayoutState::Approved);
    let moved = Payout::set_state(conn, payout.id, arrow, Some("attempt_failed"), now).await?;
    guarded(moved, "payout", payout.id)?;
    let job = JobRequest {
        kind: JobKind::PayoutsSend,
        object_id: &payout.id.to_string(),
        run_at: now + policy.retry_after,
        now,
    };
    Ok(enqueue_in_tx(conn, job).await?.into_iter().collect())
}

/// Ends an approved payout that the chain would never carry, before anything is signed; its money goes back.
///
/// # Errors
/// When the database fails.
pub async fn fail_unsendable(
    pool: &Pool,
    ids: &dyn IdGen,
    id: PayoutId,
    code: &str,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    run_tx(pool, "fail_payout", async |conn| {
        let payout = lock(conn, id.0).await?;
        if payout.state != PayoutState::Approved {
            return Ok(());
        }
        give_back_in_tx(conn, ids, &payout, (PayoutState::Failed, code), (WORKER, None), now).await
    })
    .await
}

/// Rejects the payouts that wait for approval since before a time, at most `most` of them, each in a transaction of its own; their
/// money goes back. Answers how many waited so long.
///
/// # Errors
/// When the database fails.
pub async fn expire_undecided(
    pool: &Pool,
    ids: &dyn IdGen,
    (before, most): (DateTime<Utc>, i64),
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    let due = {
        let mut conn = acquire(pool).await?;
        Payout::undecided_before(&mut conn, before, most).await?
    };
    for id in &due {
        run_tx(pool, "expire_payout", async |conn| {
            let payout = lock(conn, *id).await?;
            if payout.state != PayoutState::Requested {
                return Ok(());
            }
            let end = (PayoutState::Rejected, "approval_expired");
            give_back_in_tx(conn, ids, &payout, end, (WORKER, None), now).await
        })
        .await?;
    }
    Ok(due.len())
}

/// Books a payout by a transaction that we held for dead and that a solidified block carries.
pub(crate) async fn adopt_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    landed: &Landed<'_>,
    operator: &str,
    now: DateTime<Utc>,
) -> Result<Adoption, DomainError> {
    let (transaction, at) = (landed.transaction, landed.block);
    let payout = lock(conn, transaction.intent_id).await?;
    match payout.state {
        PayoutState::Approved => {}
        PayoutState::Failed | PayoutState::Rejected => {
            return Ok(Adoption::Refused(
                "its money was given back: take it back from the user by hand",
            ));
        }
        _ => {
            return Ok(Adoption::Refused(
                "another transaction of its payout is on its way, or has landed: it may be paid twice",
            ));
        }
    }
    let moved = ChainTransaction::set_adopted(conn, &inclusion(landed), now).await?;
    guarded(moved, "chain transaction", transaction.id)?;
    chain_fees_in_tx(conn, &[fee_of(transaction, Some(landed.seen.fee_sun))?], now).await?;
    let arrow = (PayoutState::Approved, PayoutState::Completed);
    let moved = Payout::set_state(conn, payout.id, arrow, None, now).await?;
    guarded(moved, "payout", payout.id)?;
    let actor = format!("operator:{operator}");
    let network = network_of(transaction)?;
    complete_in_tx(
        conn,
        ids,
        (transaction, Some(at.number)),
        &network,
        ("adopted", &actor),
        now,
    )
    .await?;
    Ok(Adoption::Adopted { wakes: Vec::new() })
}
