//! The ends of an order. Money leaves escrow in the transaction that ends the order, and only once.

use chrono::{DateTime, Utc};
use db::models::{NewOrderEvent, Order, OrderState};
use db::{Conn, Pool, run_tx};
use kernel::{IdGen, OrderId};
use ledger::movements::{self, cancel_many_in_tx, refund_in_tx, settle_many_in_tx};
use serde_json::json;
use uuid::Uuid;

use super::{Event, guarded, note_in_tx};
use crate::events::{EventType, OrderNews, tell_of_orders_in_tx};
use crate::pool::release_in_tx;
use crate::{DomainError, WORKER};

/// Cancels a pending order at its user's wish; the money is back at once. Cancelling a cancelled order is a no-op.
///
/// # Errors
/// [`DomainError::NotCancellable`] once anything was signed for it.
pub async fn cancel_by_user(
    pool: &Pool,
    ids: &dyn IdGen,
    id: OrderId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Order, DomainError> {
    run_tx(pool, "cancel_order", async |conn| {
        // the row lock decides the race with the claim: whoever comes second sees the other's state
        let order = Order::lock(conn, id.0).await?.ok_or(DomainError::NotFound("order"))?;
        match order.state {
            OrderState::Cancelled => return Ok(order),
            OrderState::Pending => {}
            other => return Err(DomainError::NotCancellable(other)),
        }
        cancel_in_tx(conn, ids, &order, ("cancelled_by_user", actor), now).await
    })
    .await
}

/// Cancels a pending order whose row the caller holds; the money is back with it.
pub(crate) async fn cancel_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    order: &Order,
    (reason, actor): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Order, DomainError> {
    let (id, to) = (OrderId(order.id), OrderState::Cancelled);
    let moved = Order::set_state(conn, id.0, OrderState::Pending, to, Some(reason), now).await?;
    guarded(moved, "order", id)?;
    release_in_tx(conn, &[id.0]).await?;
    movements::cancel_in_tx(conn, id, Some(actor), now).await?;
    let event = Event {
        order: id,
        event: "cancelled",
        state: to,
        actor,
        detail: json!({ "reason": reason }),
    };
    note_in_tx(conn, event, now).await?;
    let order = Order::find(conn, id.0).await?.ok_or(DomainError::NotFound("order"))?;
    tell_of_orders_in_tx(conn, ids, EventType::OrderCancelled, &[OrderNews::of(&order)], now).await?;
    Ok(order)
}

/// Cancels pending orders past their deadline, at most `limit`; answers how many.
///
/// # Errors
/// When the database fails; nothing is written then.
pub async fn cancel_past_deadline(
    pool: &Pool,
    ids: &dyn IdGen,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    run_tx(pool, "cancel_expired_orders", async |conn| {
        let orders = Order::lock_past_deadline(conn, now, limit).await?;
        cancel_locked_in_tx(conn, ids, &orders, "deadline_passed", now).await?;
        Ok(orders.len())
    })
    .await
}

/// Cancels a pending order past its deadline whose row the caller holds.
pub(crate) async fn end_past_deadline_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    order: &Order,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    cancel_locked_in_tx(conn, ids, std::slice::from_ref(order), "deadline_passed", now).await
}

async fn cancel_locked_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    orders: &[Order],
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if orders.is_empty() {
        return Ok(());
    }
    let mut events = Vec::with_capacity(orders.len());
    for order in orders {
        let moved = Order::set_state(
            conn,
            order.id,
            OrderState::Pending,
            OrderState::Cancelled,
            Some(reason),
            now,
        )
        .await?;
        guarded(moved, "order", order.id)?;
        events.push(NewOrderEvent {
            order_id: order.id,
            at: now,
            event: "cancelled",
            state: OrderState::Cancelled,
            actor: WORKER,
            // why it had not been delivered until then
            detail: json!({ "reason": reason, "waited_for": order.reason_code }),
        });
    }
    let ids_of_all: Vec<Uuid> = orders.iter().map(|order| order.id).collect();
    release_in_tx(conn, &ids_of_all).await?;
    let cancelled: Vec<OrderId> = ids_of_all.into_iter().map(OrderId).collect();
    cancel_many_in_tx(conn, &cancelled, None, now).await?;
    NewOrderEvent::insert_many(conn, &events).await?;
    let cancelled = orders.iter().cloned().map(|order| Order {
        state: OrderState::Cancelled,
        reason_code: Some(reason.to_owned()),
        ..order
    });
    let cancelled: Vec<Order> = cancelled.collect();
    let news: Vec<OrderNews<'_>> = cancelled.iter().map(OrderNews::of).collect();
    tell_of_orders_in_tx(conn, ids, EventType::OrderCancelled, &news, now).await
}

/// Ends an order that cannot be delivered: failed, and refunded in the same transaction. The caller holds its row, and
/// no transaction can deliver it any more: what still may land of its parts is a stray.
///
/// # Errors
/// When the order is not in `from`, or the database fails.
pub async fn fail_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    id: OrderId,
    from: OrderState,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    guarded(
        Order::set_state(conn, id.0, from, OrderState::Failed, Some(reason), now).await?,
        "order",
        id,
    )?;
    release_in_tx(conn, &[id.0]).await?;
    refund_in_tx(conn, id, now).await?;
    let refunded = Order::set_state(conn, id.0, OrderState::Failed, OrderState::Refunded, Some(reason), now).await?;
    guarded(refunded, "order", id)?;
    let event = |event, state| NewOrderEvent {
        order_id: id.0,
        at: now,
        event,
        state,
        actor: WORKER,
        detail: json!({ "reason": reason }),
    };
    let events = [
        event("failed", OrderState::Failed),
        event("refunded", OrderState::Refunded),
    ];
    NewOrderEvent::insert_many(conn, &events).await?;
    let order = Order::find(conn, id.0).await?.ok_or(DomainError::NotFound("order"))?;
    tell_of_orders_in_tx(conn, ids, EventType::OrderRefunded, &[OrderNews::of(&order)], now).await
}

/// Settles delivered orders whose delegation is final: escrow to revenue. Those that are settled already are passed.
///
/// # Errors
/// When the ledger or the database fails.
pub async fn settle_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    delivered: &[OrderId],
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    let delivered: Vec<_> = delivered.iter().map(|id| id.0).collect();
    let settled = Order::set_settled(conn, &delivered, now).await?;
    if settled.is_empty() {
        return Ok(0);
    }
    let orders: Vec<OrderId> = settled.iter().map(|order| OrderId(order.id)).collect();
    settle_many_in_tx(conn, &orders, now).await?;
    let events: Vec<NewOrderEvent<'_>> = settled
        .iter()
        .map(|order| NewOrderEvent {
            order_id: order.id,
            at: now,
            event: "settled",
            state: OrderState::Completed,
            actor: WORKER,
            detail: json!({}),
        })
        .collect();
    NewOrderEvent::insert_many(conn, &events).await?;
    let news: Vec<OrderNews<'_>> = settled.iter().map(OrderNews::of).collect();
    tell_of_orders_in_tx(conn, ids, EventType::OrderSettled, &news, now).await?;
    Ok(settled.len())
}
