//! What a block brings to a delegation: it is made, it is undone, or the block is taken back.

use chain::{BlockRef, TransactionSeen, TxOutcome};
use chrono::{DateTime, Duration, Utc};
use db::Conn;
use db::models::{
    ChainTransaction, Delegation, DelegationState, IntentKind, Order, OrderState, Outcome, SupplierWallet, TxState,
};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::{DelegationId, IdGen, OrderId};
use serde_json::{Value, json};

use super::claim::lock;
use crate::findings::{self, FindingKind};
use crate::orders::{Event, guarded, note_in_tx};
use crate::wallets::recount_reserved_in_tx;
use crate::{CHAIN, DomainError};

/// A block carries a transaction of ours. The caller holds the transaction's row.
pub(crate) async fn included_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transaction: &ChainTransaction,
    (block, seen): (&BlockRef, &TransactionSeen),
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    match transaction.state {
        TxState::Signed | TxState::Sent => {}
        TxState::Included | TxState::Final => return Ok(Vec::new()),
        TxState::Dead => {
            let subject = format!("transaction:{}", transaction.txid);
            let detail = json!({ "block": block.number, "intent": transaction.intent_kind, "delegation": transaction.intent_id });
            findings::record_in_tx(conn, ids, FindingKind::DeadTransactionLanded, &subject, detail, now).await?;
            return Ok(Vec::new());
        }
    }
    let outcome = match seen.outcome {
        TxOutcome::Ok => Outcome::Ok,
        TxOutcome::Failed => Outcome::Failed,
    };
    let costs = (seen.fee_sun, seen.energy_used, seen.bandwidth_used);
    let at = (block.number, block.id.as_str(), block.time);
    let moved = ChainTransaction::set_included(conn, transaction.id, at, outcome, costs, now).await?;
    guarded(moved, "chain transaction", transaction.id)?;
    metrics::counter!("switchyard_chain_transactions_included_total",
        "intent" => transaction.intent_kind.word(), "outcome" => outcome.word())
    .increment(1);
    if outcome == Outcome::Failed {
        return Ok(Vec::new()); // it did nothing; once that is final, its intent goes back to work
    }
    let delegation = lock(conn, DelegationId(transaction.intent_id)).await?;
    match transaction.intent_kind {
        IntentKind::Delegate => made_in_tx(conn, transaction, &delegation, block, now).await?,
        IntentKind::Reclaim => undone_in_tx(conn, transaction, &delegation, block, now).await?,
    }
    SupplierWallet::clear_failures(conn, transaction.wallet_id).await?;
    sync_soon_in_tx(conn, transaction, now).await
}

async fn made_in_tx(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    delegation: &Delegation,
    block: &BlockRef,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let order = Order::lock(conn, delegation.order_id)
        .await?
        .ok_or(DomainError::NotFound("order"))?;
    let ends_at = block.time + Duration::seconds(i64::from(order.duration_s));
    let active = Delegation::set_active(conn, delegation.id, block.number, block.time, ends_at, now).await?;
    guarded(active, "delegation", delegation.id)?;
    guarded(
        Order::set_completed(conn, order.id, block.time, ends_at, now).await?,
        "order",
        order.id,
    )?;
    let detail = json!({ "txid": transaction.txid, "block": block.number, "ends_at": ends_at });
    note(conn, order.id, "completed", OrderState::Completed, detail, now).await
}

async fn undone_in_tx(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    delegation: &Delegation,
    block: &BlockRef,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let moved = Delegation::set_reclaimed(conn, delegation.id, block.number, block.time, now).await?;
    guarded(moved, "delegation", delegation.id)?;
    recount_reserved_in_tx(conn, delegation.wallet_id, now).await?;
    findings::clear_in_tx(
        conn,
        FindingKind::ReclaimFails,
        &format!("delegation:{}", delegation.id),
        now,
    )
    .await?;
    let detail = json!({ "txid": transaction.txid, "block": block.number });
    note(
        conn,
        delegation.order_id,
        "reclaimed",
        OrderState::Completed,
        detail,
        now,
    )
    .await
}

/// The block that carried a transaction was reverted; the transaction may land again. The caller holds its row.
pub(crate) async fn reverted_in_tx(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let did_something = transaction.outcome == Some(Outcome::Ok);
    let moved = ChainTransaction::set_reverted(conn, transaction.id, now).await?;
    guarded(moved, "chain transaction", transaction.id)?;
    metrics::counter!("switchyard_chain_transactions_reverted_total", "intent" => transaction.intent_kind.word())
        .increment(1);
    if !did_something {
        return Ok(Vec::new());
    }
    let delegation = lock(conn, DelegationId(transaction.intent_id)).await?;
    let detail = json!({ "txid": transaction.txid, "block": transaction.block_number });
    match transaction.intent_kind {
        IntentKind::Delegate => {
            let (from, to) = (DelegationState::Active, DelegationState::Reserved);
            guarded(
                Delegation::set_state(conn, delegation.id, from, to, now).await?,
                "delegation",
                delegation.id,
            )?;
            let order = delegation.order_id;
            let (from, to) = (OrderState::Completed, OrderState::Processing);
            guarded(
                Order::set_state(conn, order, from, to, Some("block_reverted"), now).await?,
                "order",
                order,
            )?;
            note(conn, order, "reverted", OrderState::Processing, detail, now).await?;
        }
        IntentKind::Reclaim => {
            let (from, to) = (DelegationState::Reclaimed, DelegationState::Reclaiming);
            guarded(
                Delegation::set_state(conn, delegation.id, from, to, now).await?,
                "delegation",
                delegation.id,
            )?;
            note(
                conn,
                delegation.order_id,
                "reclaim_reverted",
                OrderState::Completed,
                detail,
                now,
            )
            .await?;
        }
    }
    recount_reserved_in_tx(conn, delegation.wallet_id, now).await?;
    sync_soon_in_tx(conn, transaction, now).await
}

async fn note(
    conn: &mut Conn,
    order: uuid::Uuid,
    event: &str,
    state: OrderState,
    detail: Value,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    note_in_tx(
        conn,
        Event {
            order: OrderId(order),
            event,
            state,
            actor: CHAIN,
            detail,
        },
        now,
    )
    .await
}

/// How long after a block of ours the wallet is read: by then every node shows the block, and several orders share a read.
const SYNC_DELAY: Duration = Duration::seconds(15);

/// After a transaction of ours the wallet's figures are old.
async fn sync_soon_in_tx(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let wallet = transaction.wallet_id.to_string();
    let sync = JobRequest {
        kind: JobKind::WalletsSync,
        object_id: &wallet,
        run_at: now + SYNC_DELAY,
        now,
    };
    Ok(enqueue_in_tx(conn, sync).await?.into_iter().collect())
}
