//! What a fork does to a delegation: the block that made or undid it is taken back.

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{ChainTransaction, Delegation, DelegationState, IntentKind, Order, OrderState};
use kernel::{DelegationId, OrderId};
use serde_json::{Value, json};

use super::claim::lock;
use super::included::state_of_order;
use crate::orders::{Event, guarded, note_in_tx};
use crate::wallets::recount_reserved_in_tx;
use crate::{CHAIN, DomainError};

/// The block that carried a delegation's transaction, which did what it says, was reverted.
pub(crate) async fn reverted_in_tx(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let delegation = lock(conn, DelegationId(transaction.intent_id)).await?;
    let detail = json!({ "txid": transaction.txid, "block": transaction.block_number });
    if transaction.intent_kind == IntentKind::Delegate {
        let (from, to) = (DelegationState::Active, DelegationState::Reserved);
        guarded(
            Delegation::set_state(conn, delegation.id, from, to, now).await?,
            "delegation",
            delegation.id,
        )?;
        let order = Order::lock(conn, delegation.order_id).await?;
        let order = order.ok_or(DomainError::NotFound("order"))?;
        let mut state = order.state;
        // a stray is nothing to its order, and one that lacks a part was not completed
        let untouched = delegation.stray || (delegation.partial && state == OrderState::Processing);
        if !untouched {
            let (from, to) = (OrderState::Completed, OrderState::Processing);
            guarded(
                Order::set_state(conn, order.id, from, to, Some("block_reverted"), now).await?,
                "order",
                order.id,
            )?;
            state = to;
        }
        note(conn, order.id, "reverted", state, detail, now).await?;
    } else {
        let (from, to) = (DelegationState::Reclaimed, DelegationState::Reclaiming);
        guarded(
            Delegation::set_state(conn, delegation.id, from, to, now).await?,
            "delegation",
            delegation.id,
        )?;
        let state = state_of_order(conn, &delegation).await?;
        note(conn, delegation.order_id, "reclaim_reverted", state, detail, now).await?;
    }
    recount_reserved_in_tx(conn, delegation.wallet_id, now).await
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
