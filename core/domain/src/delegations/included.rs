//! What blocks bring to delegations: they are made, or undone. All that one read of the chain brings is written together,
//! so that a block of a thousand costs no more statements than a block of one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use db::Conn;
use db::models::{Activation, Completion, Delegation, DelegationState, NewOrderEvent, Order, OrderState};
use kernel::IdGen;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::events::{EventType, OrderNews, tell_of_orders_in_tx};
use crate::findings::{self, FindingKind};
use crate::intents::{Landed, all_moved};
use crate::wallets::recount_reserved_in_tx;
use crate::{CHAIN, DomainError};

/// Delegations are on chain. Their orders are completed, but for those that lack a part; what its order has ended without
/// is to be taken back.
pub(crate) async fn made_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    made: &[Landed<'_>],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if made.is_empty() {
        return Ok(());
    }
    let ids_made: Vec<Uuid> = made.iter().map(|one| one.transaction.intent_id).collect();
    let delegations = by_own_id(Delegation::lock_with_parts(conn, &ids_made).await?);
    let of_orders: Vec<Uuid> = delegations.values().map(|delegation| delegation.order_id).collect();
    let orders: BTreeMap<Uuid, Order> = by_id(Order::lock_many(conn, &of_orders).await?);
    let (mut active, mut completed, mut events) = (Vec::new(), Vec::new(), Vec::new());
    let mut in_parts = BTreeMap::new();
    for one in made {
        let delegation = delegations
            .get(&one.transaction.intent_id)
            .ok_or(DomainError::NotFound("delegation"))?;
        let order = orders.get(&delegation.order_id).ok_or(DomainError::NotFound("order"))?;
        let at = one.block.time;
        let rented = Duration::seconds(if delegation.stray {
            0
        } else {
            i64::from(order.duration_s)
        });
        let ends_at = at + rented;
        active.push(Activation {
            id: delegation.id,
            block_number: one.block.number,
            active_at: at,
            ends_at,
        });
        let txid = one.transaction.txid.as_str();
        let detail = json!({ "txid": txid, "block": one.block.number, "ends_at": ends_at });
        if delegation.stray || delegation.partial {
            let word = if delegation.stray {
                "stray_delegated"
            } else {
                "part_delegated"
            };
            events.push(event((order.id, order.state), word, detail, now));
        } else {
            events.push(event((order.id, OrderState::Completed), "completed", detail, now));
            let completed_at = at;
            let completion = Completion {
                id: order.id,
                completed_at,
                ends_at,
            };
            completed.push((completion, txid));
        }
        if delegation.partial && !delegation.stray {
            in_parts.insert(order.id, txid);
        }
    }
    all_moved(
        Delegation::set_active(conn, &active, now).await?,
        made.len(),
        "delegations",
    )?;
    for (order, txid) in in_parts {
        let order = orders.get(&order).ok_or(DomainError::NotFound("order"))?;
        if let Some(completion) = all_parts_in_tx(conn, order, now).await? {
            let detail = json!({ "txid": txid, "ends_at": completion.ends_at });
            events.push(event((order.id, OrderState::Completed), "completed", detail, now));
            completed.push((completion, txid));
        }
    }
    complete_in_tx(conn, &completed, now).await?;
    NewOrderEvent::insert_many(conn, &events).await?;
    tell_of_completed_in_tx(conn, ids, &orders, &completed, now).await
}

async fn complete_in_tx(
    conn: &mut Conn,
    completed: &[(Completion, &str)],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let rows: Vec<Completion> = completed.iter().map(|(completion, _)| completion.clone()).collect();
    all_moved(Order::set_completed(conn, &rows, now).await?, rows.len(), "orders")
}

/// Completes an order all of whose parts are on chain: its time begins with the last of them, and ends for all at once.
async fn all_parts_in_tx(
    conn: &mut Conn,
    order: &Order,
    now: DateTime<Utc>,
) -> Result<Option<Completion>, DomainError> {
    let parts = Delegation::of_order(conn, order.id).await?;
    let active = parts
        .iter()
        .filter(|part| part.is_kept() && part.state == DelegationState::Active);
    let energy: i64 = active.clone().map(|part| part.energy).sum();
    let Some(completed_at) = active.filter_map(|part| part.active_at).max() else {
        return Ok(None);
    };
    if energy < order.energy {
        return Ok(None);
    }
    let ends_at = completed_at + Duration::seconds(i64::from(order.duration_s));
    Delegation::set_end_of_order(conn, order.id, ends_at, now).await?;
    Ok(Some(Completion {
        id: order.id,
        completed_at,
        ends_at,
    }))
}

fn by_id(orders: Vec<Order>) -> BTreeMap<Uuid, Order> {
    orders.into_iter().map(|order| (order.id, order)).collect()
}

/// The orders are those of before: what their rows became is put in here, so that they need not be read again.
async fn tell_of_completed_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    orders: &BTreeMap<Uuid, Order>,
    completed: &[(Completion, &str)],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if completed.is_empty() {
        return Ok(());
    }
    let completed: Vec<(Order, &str)> = completed
        .iter()
        .filter_map(|(completion, txid)| {
            let order = orders.get(&completion.id)?.clone();
            let order = Order {
                state: OrderState::Completed,
                reason_code: None,
                completed_at: Some(completion.completed_at),
                ends_at: Some(completion.ends_at),
                ..order
            };
            Some((order, *txid))
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
    let ids_undone: Vec<Uuid> = undone.iter().map(|one| one.transaction.intent_id).collect();
    let delegations = by_own_id(Delegation::lock_many(conn, &ids_undone).await?);
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
    let mut to_come = parts_to_come(conn, &delegations).await?;
    let mut events = Vec::with_capacity(undone.len());
    let mut over = Vec::new();
    for one in undone {
        let delegation = delegations
            .get(&one.transaction.intent_id)
            .ok_or(DomainError::NotFound("delegation"))?;
        let txid = one.transaction.txid.as_str();
        let detail = json!({ "txid": txid, "block": one.block.number });
        let order = (delegation.order_id, state_of_order(conn, delegation).await?);
        if delegation.partial {
            events.push(event(order, "part_reclaimed", detail.clone(), now));
        }
        // of parts the last one counts: the set answers once that nothing is to come
        let is_over = !delegation.partial || (!delegation.stray && to_come.remove(&delegation.order_id) == Some(false));
        if is_over {
            events.push(event(order, "reclaimed", detail, now));
        }
        if is_over && !delegation.stray {
            over.push((delegation.order_id, txid));
        }
    }
    NewOrderEvent::insert_many(conn, &events).await?;
    tell_of_reclaimed_in_tx(conn, ids, &over, now).await
}

/// Of orders in parts: whether any of their parts is still to be taken back.
async fn parts_to_come(
    conn: &mut Conn,
    delegations: &BTreeMap<Uuid, Delegation>,
) -> Result<BTreeMap<Uuid, bool>, DomainError> {
    let in_parts = delegations.values().filter(|row| row.partial && !row.stray);
    let in_parts: BTreeSet<Uuid> = in_parts.map(|row| row.order_id).collect();
    let mut to_come: BTreeMap<Uuid, bool> = in_parts.iter().map(|order| (*order, false)).collect();
    if to_come.is_empty() {
        return Ok(to_come);
    }
    let orders: Vec<Uuid> = in_parts.into_iter().collect();
    for part in Delegation::of_orders(conn, &orders).await? {
        if part.is_kept() && part.state != DelegationState::Reclaimed {
            to_come.insert(part.order_id, true);
        }
    }
    Ok(to_come)
}

/// Of strays nobody is told: their orders were not delivered by them.
async fn tell_of_reclaimed_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    over: &[(Uuid, &str)],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if over.is_empty() {
        return Ok(());
    }
    let of_orders: Vec<Uuid> = over.iter().map(|(order, _)| *order).collect();
    let orders = by_id(Order::find_many(conn, &of_orders).await?);
    let news = over.iter().filter_map(|(order, txid)| {
        let order = orders.get(order)?;
        Some(OrderNews {
            order,
            txid: Some(txid),
        })
    });
    let news: Vec<OrderNews<'_>> = news.collect();
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

fn by_own_id(delegations: Vec<Delegation>) -> BTreeMap<Uuid, Delegation> {
    delegations.into_iter().map(|row| (row.id, row)).collect()
}

fn event(
    (order_id, state): (Uuid, OrderState),
    event: &'static str,
    detail: Value,
    at: DateTime<Utc>,
) -> NewOrderEvent<'static> {
    NewOrderEvent {
        order_id,
        at,
        event,
        state,
        actor: CHAIN,
        detail,
    }
}
