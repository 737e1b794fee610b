//! Claiming several orders of one network in one transaction, so that they share its commit and its statements. It takes
//! the plain cases only; whatever needs a decision is left to [`super::claim_in_tx`], which claims one order.
//!
//! It never waits for a wallet while it holds others: those that somebody holds are passed over, so that two such claims
//! cannot deadlock, and an order for which none is left is claimed alone.

use std::collections::{BTreeMap, BTreeSet};

use db::Conn;
use db::models::{ChainCursor, Order, OrderState, StockHold, SupplierWallet};
use uuid::Uuid;

use super::claim::{ClaimRequest, Claimed, begin_in_tx};
use super::free::Free;
use crate::DomainError;
use crate::intents::is_current;

/// Wallets that one claim holds at most; others find theirs among the rest.
const WALLETS: i64 = 16;

/// What came of one of the orders.
#[derive(Debug)]
pub enum ClaimOfMany {
    /// The order is no longer pending: there is nothing to do.
    NotPending,
    /// Not decided here: claim it alone.
    Alone,
    /// Reserved; sign and store before the commit.
    Claimed(Box<Claimed>),
}

/// Claims what is pending of these orders and reserves stake for it. Answers in the order of the requests, which name
/// different orders of this network and share one time.
///
/// # Errors
/// When the database fails.
pub async fn claim_many_in_tx(
    conn: &mut Conn,
    network: &str,
    requests: &[ClaimRequest],
) -> Result<Vec<ClaimOfMany>, DomainError> {
    let alone = || requests.iter().map(|_| ClaimOfMany::Alone).collect();
    let Some(now) = requests.first().map(|request| request.now) else {
        return Ok(Vec::new());
    };
    let ids: Vec<Uuid> = requests.iter().map(|request| request.order.0).collect();
    let mut orders: BTreeMap<Uuid, Order> = Order::lock_many(conn, &ids)
        .await?
        .into_iter()
        .map(|order| (order.id, order))
        .collect();
    if !is_current(conn, network).await? {
        return Ok(alone());
    }
    let cursor = ChainCursor::find(conn, network)
        .await?
        .ok_or(DomainError::NotFound("network"))?;
    let least_sun = requests.iter().map(|request| request.amount_sun).min().unwrap_or(0);
    let least_bandwidth = requests.iter().map(|request| request.bandwidth).min().unwrap_or(0);
    let wallets = SupplierWallet::lock_free(conn, least_sun, least_bandwidth, WALLETS).await?;
    let mut free = Free::of_in_tx(conn, wallets, &orders.values().collect::<Vec<_>>()).await?;
    let held = StockHold::of_orders(conn, &ids).await?;
    let held: BTreeSet<Uuid> = held.into_iter().map(|held| held.order_id).collect();
    let claims: Vec<ClaimOfMany> = requests
        .iter()
        .map(|request| match orders.remove(&request.order.0) {
            None => ClaimOfMany::Alone,
            Some(order) if held.contains(&order.id) => ClaimOfMany::Alone,
            // it lacked a part when the request was made
            Some(order) if order.state == OrderState::Processing && request.energy < order.energy => ClaimOfMany::Alone,
            Some(order) if order.state != OrderState::Pending => ClaimOfMany::NotPending,
            Some(order) if order.deadline_at <= now || order.network != network => ClaimOfMany::Alone,
            Some(order) if order.energy != request.energy => ClaimOfMany::Alone,
            Some(order) => match free.take(&order, request.wanted(), &cursor) {
                None => ClaimOfMany::Alone,
                Some((wallet, timestamp_ms)) => ClaimOfMany::Claimed(Box::new(Claimed {
                    energy: order.energy,
                    order,
                    wallet,
                    delegation: request.delegation,
                    amount_sun: request.amount_sun,
                    timestamp_ms,
                    cursor: cursor.clone(),
                })),
            },
        })
        .collect();
    let claimed: Vec<&Claimed> = claims
        .iter()
        .filter_map(|claim| match claim {
            ClaimOfMany::Claimed(claimed) => Some(&**claimed),
            _ => None,
        })
        .collect();
    if !claimed.is_empty() {
        free.reserve_in_tx(conn, now).await?;
        begin_in_tx(conn, &claimed, now).await?;
    }
    Ok(claims)
}
