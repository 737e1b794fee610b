//! What blocks bring to delegations: they are made, or undone. All that one read of the chain brings is written together,
//! so that a block of a thousand costs no more statements than a block of one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use db::Conn;
use db::models::{Activation, Completion, Delegation, NewOrderEvent, Order, OrderState};
use kernel::IdGen;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::events::{EventType, OrderNews, anybody_listens, tell_of_orders_in_tx};
use crate::findings::{self, FindingKind};
use crate::intents::{Landed, all_moved};
use crate::wallets::recount_reserved_in_tx;
use crate::{CHAIN, DomainError};

/// Delegations are on chain, and their orders are completed.
pub(crate) async fn made_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    made: &[Landed<'_>],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if made.is_empty() {
        return Ok(());
    }
    let delegations = lock_delegations(conn, made).await?;
    let of_orders: Vec<Uuid> = delegations.values().map(|delegation| delegation.order_id).collect();
    let orders: BTreeMap<Uuid, Order> = by_id(Order::lock_many(conn, &of_orders).await?);
    let (mut active, mut completed, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for one in made {
        let delegation = delegations
            .get(&one.transaction.intent_id)
            .ok_or(DomainError::NotFound("delegation"))?;
        let order = orders.get(&delegation.order_id).ok_or(DomainError::NotFound("order"))?;
        let at = one.block.time;
        let ends_at = at + Duration::seconds(i64::from(order.duration_s));
        active.push(Activation {
            id: delegation.id,
            block_number: one.block.number,
            active_at: at,
            ends_at,
        });
        completed.push(Completion {
            id: order.id,
            completed_at: at,
            ends_at,
        });
        let detail = json!({ "txid": one.transaction.txid, "block": one.block.number, "ends_at": ends_at });
        events.push(event(order.id, "completed", detail, now));
    }
    all_moved(
        Delegation::set_active(conn, &active, now).await?,
        made.len(),
        "delegations",
    )?;
    all_moved(Order::set_completed(conn, &completed, now).await?, made.len(), "orders")?;
    NewOrderEvent::insert_many(conn, &events).await?;
    let txids = made.iter().map(|one| one.transaction.txid.as_str());
    tell_of_completed_in_tx(conn, ids, &orders, completed.iter().zip(txids), now).await
}

fn by_id(orders: Vec<Order>) -> BTreeMap<Uuid, Order> {
    orders.into_iter().map(|order| (order.id, order)).collect()
}

/// The orders are those of before: what their rows became is put in here, so that they need not be read again.
async fn tell_of_completed_in_tx<'a>(
    conn: &mut Conn,
    ids: &dyn IdGen,
    orders: &BTreeMap<Uuid, Order>,
    completed: impl Iterator<Item = (&'a Completion, &'a str)> + Send,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if !anybody_listens(conn).await? {
        return Ok(());
    }
    let completed: Vec<(Order, &str)> = completed
        .filter_map(|(completion, txid)| {
            let order = orders.get(&completion.id)?.clone();
            let order = Order {
                state: OrderState::Completed,
                reason_code: None,
                completed_at: Some(completion.completed_at),
                ends_at: Some(completion.ends_at),
                ..order
            };
            Some((order, txid))
        })
        .collect();
    let news = completed.iter().map(|(order, txid)| OrderNews {
        order,
        txid: Some(txid),
    });
    let news: Vec<OrderNews<'_>> = news.collect();
    tell_of_orders_in_tx(conn, ids, EventType::OrderCompleted, &news, now).await
}

/// Delegations are undone on chain, and their stake is free.
pub(crate) async fn undone_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    undone: &[Landed<'_>],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if undone.is_empty() {
        return Ok(());
    }
    let delegations = lock_delegations(conn, undone).await?;
    let rows: Vec<(Uuid, i64, DateTime<Utc>)> = undone
        .iter()
        .map(|one| (one.transaction.intent_id, one.block.number, one.block.time))
        .collect();
    all_moved(
        Delegation::set_reclaimed(conn, &rows, now).await?,
        undone.len(),
        "delegations",
    )?;
    let wallets: BTreeSet<Uuid> = delegations.values().map(|delegation| delegation.wallet_id).collect();
    for wallet in wallets {
        recount_reserved_in_tx(conn, wallet, now).await?;
    }
    let subjects: Vec<String> = delegations.keys().map(|id| format!("delegation:{id}")).collect();
    findings::clear_many_in_tx(conn, FindingKind::ReclaimFails, &subjects, now).await?;
    let mut events = Vec::with_capacity(undone.len());
    for one in undone {
        let delegation = delegations
            .get(&one.transaction.intent_id)
            .ok_or(DomainError::NotFound("delegation"))?;
        let detail = json!({ "txid": one.transaction.txid, "block": one.block.number });
        let mut event = event(delegation.order_id, "reclaimed", detail, now);
        event.state = state_of_order(conn, delegation).await?;
        events.push(event);
    }
    NewOrderEvent::insert_many(conn, &events).await?;
    tell_of_reclaimed_in_tx(conn, ids, &delegations, undone, now).await
}

/// Of strays nobody is told: their orders were not delivered by them.
async fn tell_of_reclaimed_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    delegations: &BTreeMap<Uuid, Delegation>,
    undone: &[Landed<'_>],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if !anybody_listens(conn).await? {
        return Ok(());
    }
    let of_orders: Vec<Uuid> = delegations.values().map(|delegation| delegation.order_id).collect();
    let orders = by_id(Order::find_many(conn, &of_orders).await?);
    let news: Vec<OrderNews<'_>> = undone
        .iter()
        .filter_map(|one| {
            let delegation = delegations.get(&one.transaction.intent_id)?;
            let order = orders.get(&delegation.order_id).filter(|_| !delegation.stray)?;
            Some(OrderNews {
                order,
                txid: Some(&one.transaction.txid),
            })
        })
        .collect();
    tell_of_orders_in_tx(conn, ids, EventType::OrderReclaimed, &news, now).await
}

/// The state of the order that a delegation on chain belongs to: delivered, but for a stray, which may belong to any.
pub(super) async fn state_of_order(conn: &mut Conn, delegation: &Delegation) -> Result<OrderState, DomainError> {
    if !delegation.stray {
        return Ok(OrderState::Completed);
    }
    let order = Order::find(conn, delegation.order_id).await?;
    Ok(order.ok_or(DomainError::NotFound("order"))?.state)
}

/// What these transactions are for, locked in id order.
async fn lock_delegations(conn: &mut Conn, landed: &[Landed<'_>]) -> Result<BTreeMap<Uuid, Delegation>, DomainError> {
    let ids: Vec<Uuid> = landed.iter().map(|one| one.transaction.intent_id).collect();
    let delegations = Delegation::lock_many(conn, &ids).await?;
    Ok(delegations
        .into_iter()
        .map(|delegation| (delegation.id, delegation))
        .collect())
}

fn event(order_id: Uuid, event: &'static str, detail: Value, at: DateTime<Utc>) -> NewOrderEvent<'static> {
    NewOrderEvent {
        order_id,
        at,
        event,
        state: OrderState::Completed,
        actor: CHAIN,
        detail,
    }
}
