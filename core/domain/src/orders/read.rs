//! Reading orders.

use chrono::{DateTime, Utc};
use db::models::{
    ChainTransaction, Delegation, Order, OrderEvent, OrderExtension, OrderFilter, SupplierWallet, ToDeliver,
};
use db::{Pool, acquire, run_tx};
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::OrderId;

use crate::DomainError;

/// An order with all that happened to it.
#[derive(Debug, Clone)]
pub struct OrderDetail {
    /// The order.
    pub order: Order,
    /// Its timeline, oldest first.
    pub events: Vec<OrderEvent>,
    /// Delegations tried, oldest first, each with its wallet's address.
    pub delegations: Vec<(Delegation, Option<String>)>,
    /// Transactions signed for them, oldest first.
    pub transactions: Vec<ChainTransaction>,
    /// More time that was bought, oldest first.
    pub extensions: Vec<OrderExtension>,
}

/// An order.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn find(pool: &Pool, id: OrderId) -> Result<Order, DomainError> {
    let mut conn = acquire(pool).await?;
    Order::find(&mut conn, id.0)
        .await?
        .ok_or(DomainError::NotFound("order"))
}

/// An order with what its delivery needs to know; its receiver must have been found good since `since`.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn to_deliver(pool: &Pool, id: OrderId, since: DateTime<Utc>) -> Result<ToDeliver, DomainError> {
    let mut conn = acquire(pool).await?;
    Order::to_deliver(&mut conn, id.0, since)
        .await?
        .ok_or(DomainError::NotFound("order"))
}

/// An order with its timeline, delegations and transactions.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn detail(pool: &Pool, id: OrderId) -> Result<OrderDetail, DomainError> {
    let mut conn = acquire(pool).await?;
    let order = Order::find(&mut conn, id.0)
        .await?
        .ok_or(DomainError::NotFound("order"))?;
    let events = OrderEvent::of_order(&mut conn, id.0).await?;
    let mut delegations = Vec::new();
    for delegation in Delegation::of_order(&mut conn, id.0).await? {
        let wallet = SupplierWallet::find(&mut conn, delegation.wallet_id).await?;
        delegations.push((delegation, wallet.and_then(|wallet| wallet.address)));
    }
    let intents: Vec<_> = delegations.iter().map(|(delegation, _)| delegation.id).collect();
    let transactions = ChainTransaction::of_intents(&mut conn, &intents).await?;
    let extensions = OrderExtension::of_orders(&mut conn, &[id.0]).await?;
    Ok(OrderDetail {
        extensions,
        order,
        events,
        delegations,
        transactions,
    })
}

/// A page of orders, newest first, before the order `before`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    pool: &Pool,
    filter: &OrderFilter,
    place: Option<OrderId>,
    limit: i64,
) -> Result<Vec<Order>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(Order::page(&mut conn, filter, place.map(|id| id.0), limit).await?)
}

/// Asks for every pending order to be worked on now, the nearest deadline first, at most 1000; answers the wakes to push.
///
/// # Errors
/// When the database fails.
pub async fn wake_pending(pool: &Pool, now: DateTime<Utc>) -> Result<(usize, Vec<Wake>), DomainError> {
    run_tx(pool, "wake_pending_orders", async |conn| {
        let ids: Vec<String> = Order::pending_ids(conn, 1000)
            .await?
            .iter()
            .map(ToString::to_string)
            .collect();
        Ok((
            ids.len(),
            enqueue_each_in_tx(conn, JobKind::OrdersDelegate, &ids, now).await?,
        ))
    })
    .await
}
