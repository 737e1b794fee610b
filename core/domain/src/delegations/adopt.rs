//! Adoption: a transaction that we held for dead, or that was missing in a block when we read it, and that the solidified
//! block carries all the same, is taken into the books as what it is. An operator asks for it, since it means that a node lied.
//!
//! One that is waited for still is booked as by the watcher. Of those that were held for dead:
//! A payout so made is paid, a sweep or a staking is over. A delegation so made is a stray: it delivers no order, and its time is up at once, so the reclaim takes it back.

use chain::{Block, BlockRef};
use chrono::{DateTime, Utc};
use db::models::{
    BlockRow, ChainCursor, ChainTransaction, Delegation, DelegationState, IntentKind, NewOrderEvent, Order, Outcome,
    TxState,
};
use db::{Conn, Pool, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::{DelegationId, IdGen};
use serde_json::json;

use super::claim::lock;
use crate::findings::{self, FindingKind};
use crate::intents::{Landed, included_in_tx, inclusion};
use crate::orders::guarded;
use crate::wallets::recount_reserved_in_tx;
use crate::{DomainError, payouts, stakings, sweeps};

/// What came of the wish to adopt.
#[derive(Debug, PartialEq, Eq)]
pub enum Adoption {
    /// The books say what the chain does.
    Adopted {
        /// To be pushed after the commit.
        wakes: Vec<Wake>,
    },
    /// It cannot be, for this reason.
    Refused(&'static str),
}

/// Adopts the transaction `txid`, which this solidified block carries.
///
/// # Errors
/// [`DomainError::NotFound`] for a transaction that is not ours; when the database fails.
pub async fn adopt(
    pool: &Pool,
    ids: &dyn IdGen,
    (txid, block): (&str, &Block),
    operator: &str,
    now: DateTime<Utc>,
) -> Result<Adoption, DomainError> {
    run_tx(pool, "adopt_transaction", async |conn| {
        let transaction = ChainTransaction::lock_by_txid(conn, txid)
            .await?
            .ok_or(DomainError::NotFound("chain transaction"))?;
        let Some(seen) = block.transactions.iter().find(|seen| seen.txid.to_string() == txid) else {
            return Ok(Adoption::Refused("the block that the node gave does not carry it"));
        };
        let at = &block.at;
        let cursor = ChainCursor::find(conn, &transaction.network).await?;
        if cursor.is_none_or(|cursor| cursor.solid_number < at.number) {
            return Ok(Adoption::Refused("its block is not solid by our own reading yet"));
        }
        let applied = BlockRow::find(conn, &transaction.network, at.number).await?;
        if applied.is_some_and(|applied| applied.block_id != at.id) {
            return Ok(Adoption::Refused(
                "we have read another block at its height: the node lies, or did",
            ));
        }
        let landed = Landed {
            transaction: &transaction,
            block: at,
            seen,
        };
        match transaction.state {
            TxState::Signed | TxState::Sent => missed_in_tx(conn, ids, &landed, now).await,
            TxState::Dead => dead_in_tx(conn, ids, &landed, operator, now).await,
            TxState::Included | TxState::Final => Ok(Adoption::Refused("it is not held for dead")),
        }
    })
    .await
}

/// A block was read without it: it is booked as if the block had been read whole.
async fn missed_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    landed: &Landed<'_>,
    now: DateTime<Utc>,
) -> Result<Adoption, DomainError> {
    let mut wakes = included_in_tx(conn, ids, &[*landed], now).await?;
    let job = JobRequest {
        kind: JobKind::ChainSettleFinal,
        object_id: &landed.transaction.network,
        run_at: now,
        now,
    };
    wakes.extend(enqueue_in_tx(conn, job).await?);
    let subject = format!("transaction:{}", landed.transaction.txid);
    findings::clear_in_tx(conn, FindingKind::TransactionMissed, &subject, now).await?;
    Ok(Adoption::Adopted { wakes })
}

async fn dead_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    landed: &Landed<'_>,
    operator: &str,
    now: DateTime<Utc>,
) -> Result<Adoption, DomainError> {
    if landed.outcome() != Outcome::Ok {
        return Ok(Adoption::Refused("it is in a block and did nothing"));
    }
    let adopted = match landed.transaction.intent_kind {
        IntentKind::Delegate | IntentKind::Reclaim => adopt_in_tx(conn, landed, operator, now).await?,
        IntentKind::Payout => payouts::adopt_in_tx(conn, ids, landed, operator, now).await?,
        IntentKind::Sweep | IntentKind::Activate => sweeps::adopt_in_tx(conn, landed, operator, now).await?,
        IntentKind::Stake => stakings::adopt_in_tx(conn, landed, operator, now).await?,
    };
    if matches!(adopted, Adoption::Adopted { .. }) {
        let subject = format!("transaction:{}", landed.transaction.txid);
        findings::clear_in_tx(conn, FindingKind::DeadTransactionLanded, &subject, now).await?;
    }
    Ok(adopted)
}

async fn adopt_in_tx(
    conn: &mut Conn,
    landed: &Landed<'_>,
    operator: &str,
    now: DateTime<Utc>,
) -> Result<Adoption, DomainError> {
    let (transaction, at) = (landed.transaction, landed.block);
    let delegation = lock(conn, DelegationId(transaction.intent_id)).await?;
    let makes = transaction.intent_kind == IntentKind::Delegate;
    let (fits, why_not) = if makes {
        (DelegationState::Released, "its delegation is in the books already")
    } else {
        (
            DelegationState::Active,
            "another reclaim is on its way, or has landed: wait until it is over",
        )
    };
    if delegation.state != fits {
        return Ok(Adoption::Refused(why_not));
    }
    let moved = ChainTransaction::set_adopted(conn, &inclusion(landed), now).await?;
    guarded(moved, "chain transaction", transaction.id)?;
    let wake = if makes {
        make_stray_in_tx(conn, &delegation, at, now).await?
    } else {
        end_in_tx(conn, &delegation, at, now).await?
    };
    recount_reserved_in_tx(conn, delegation.wallet_id, now).await?;
    note_in_tx(conn, transaction, &delegation, at, operator, now).await?;
    Ok(Adoption::Adopted {
        wakes: wake.into_iter().collect(),
    })
}

/// On chain since its block, and to be taken back since then.
async fn make_stray_in_tx(
    conn: &mut Conn,
    delegation: &Delegation,
    at: &BlockRef,
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    let moved = Delegation::set_stray(conn, delegation.id, at.number, at.time, now).await?;
    guarded(moved, "delegation", delegation.id)?;
    let job = JobRequest {
        kind: JobKind::DelegationsReclaim,
        object_id: &delegation.id.to_string(),
        run_at: now,
        now,
    };
    Ok(enqueue_in_tx(conn, job).await?)
}

/// Undone by the transaction that we held for dead.
async fn end_in_tx(
    conn: &mut Conn,
    delegation: &Delegation,
    at: &BlockRef,
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    let (from, to) = (DelegationState::Active, DelegationState::Reclaiming);
    guarded(
        Delegation::set_state(conn, delegation.id, from, to, now).await?,
        "delegation",
        delegation.id,
    )?;
    let moved = Delegation::set_reclaimed(conn, &[(delegation.id, at.number, at.time)], now).await?;
    guarded(moved == 1, "delegation", delegation.id)?;
    let subject = format!("delegation:{}", delegation.id);
    findings::clear_in_tx(conn, FindingKind::ReclaimFails, &subject, now).await?;
    Ok(None)
}

async fn note_in_tx(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    delegation: &Delegation,
    at: &BlockRef,
    operator: &str,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let order = Order::find(conn, delegation.order_id)
        .await?
        .ok_or(DomainError::NotFound("order"))?;
    let event = NewOrderEvent {
        order_id: order.id,
        at: now,
        event: "adopted",
        state: order.state,
        actor: &format!("operator:{operator}"),
        detail: json!({
            "txid": transaction.txid, "block": at.number, "intent": transaction.intent_kind,
            "held_for_dead": transaction.death_cause,
        }),
    };
    Ok(event.insert(conn).await?)
}
