//! Claiming several orders of one network in one transaction, so that they share its commit and its statements. It takes
//! the plain cases only; whatever needs a decision is left to [`super::claim_in_tx`], which claims one order.
//!
//! It never waits for a wallet while it holds others: those that somebody holds are passed over, so that two such claims
//! cannot deadlock, and an order for which none is left is claimed alone.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{ChainCursor, Delegation, Order, OrderState, SupplierWallet};
use uuid::Uuid;

use super::choice::{self, Candidate, Wanted};
use super::claim::{ClaimRequest, Claimed, begin_in_tx};
use crate::DomainError;
use crate::intents::{is_current, next_timestamp};

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
    let mut free = Free::lock_in_tx(conn, requests, &orders).await?;
    let claims: Vec<ClaimOfMany> = requests
        .iter()
        .map(|request| match orders.remove(&request.order.0) {
            None => ClaimOfMany::Alone,
            Some(order) if order.state != OrderState::Pending => ClaimOfMany::NotPending,
            Some(order) if order.deadline_at <= now || order.network != network => ClaimOfMany::Alone,
            Some(order) => match free.take(&order, request, &cursor) {
                None => ClaimOfMany::Alone,
                Some((wallet, timestamp_ms)) => ClaimOfMany::Claimed(Box::new(Claimed {
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

/// The wallets that this claim holds, with what it has promised of them so far.
struct Free {
    /// With room and bandwidth as they are after the promises.
    wallets: Vec<SupplierWallet>,
    /// What was promised of each: stake and bandwidth.
    promised: BTreeMap<Uuid, (i64, i64)>,
    /// Wallet and receiver of a live delegation.
    live: HashSet<(Uuid, String)>,
    /// Wallet and order of an earlier attempt.
    tried: HashSet<(Uuid, Uuid)>,
}

impl Free {
    async fn lock_in_tx(
        conn: &mut Conn,
        requests: &[ClaimRequest],
        orders: &BTreeMap<Uuid, Order>,
    ) -> Result<Self, DomainError> {
        let least_sun = requests.iter().map(|request| request.amount_sun).min().unwrap_or(0);
        let least_bandwidth = requests.iter().map(|request| request.bandwidth).min().unwrap_or(0);
        let wallets = SupplierWallet::lock_free(conn, least_sun, least_bandwidth, WALLETS).await?;
        let ids: Vec<Uuid> = wallets.iter().map(|wallet| wallet.id).collect();
        let receivers: Vec<&str> = orders.values().map(|order| order.receiver.as_str()).collect();
        let again: Vec<Uuid> = orders
            .values()
            .filter(|order| order.attempts > 0)
            .map(|order| order.id)
            .collect();
        let tried = if again.is_empty() {
            Vec::new()
        } else {
            Delegation::tried_pairs(conn, &again).await?
        };
        Ok(Self {
            live: Delegation::live_pairs(conn, &ids, &receivers)
                .await?
                .into_iter()
                .collect(),
            tried: tried.into_iter().collect(),
            promised: BTreeMap::new(),
            wallets,
        })
    }

    /// Promises the best wallet, by the rule that holds where one order is claimed alone, too.
    fn take(&mut self, order: &Order, request: &ClaimRequest, cursor: &ChainCursor) -> Option<(SupplierWallet, i64)> {
        let wanted = Wanted {
            amount_sun: request.amount_sun,
            bandwidth: request.bandwidth,
        };
        let chosen = choice::best(self.candidates(order), wanted)?;
        let best = self.wallets.iter_mut().find(|wallet| wallet.id == chosen)?;
        let timestamp_ms = next_timestamp(cursor, best);
        best.last_timestamp_ms = timestamp_ms;
        best.reserved_sun += request.amount_sun;
        best.bandwidth_available -= request.bandwidth;
        let promised = self.promised.entry(best.id).or_default();
        promised.0 += request.amount_sun;
        promised.1 += request.bandwidth;
        self.live.insert((best.id, order.receiver.clone()));
        Some((best.clone(), timestamp_ms))
    }

    /// The wallets as they stand to an order; the receiver itself is none.
    fn candidates(&self, order: &Order) -> impl Iterator<Item = Candidate> {
        let others = self.wallets.iter().filter(move |wallet| {
            let address = wallet.address.as_deref();
            address.is_some_and(|address| address != order.receiver)
        });
        others.map(move |wallet| Candidate {
            wallet: wallet.id,
            room_sun: wallet.delegatable_sun.saturating_sub(wallet.reserved_sun),
            bandwidth: wallet.bandwidth_available,
            can_burn: wallet.can_burn(),
            tried: self.tried.contains(&(wallet.id, order.id)),
            serves: self.live.contains(&(wallet.id, order.receiver.clone())),
        })
    }

    async fn reserve_in_tx(&self, conn: &mut Conn, now: DateTime<Utc>) -> Result<(), DomainError> {
        for wallet in &self.wallets {
            if let Some((sun, bandwidth)) = self.promised.get(&wallet.id) {
                SupplierWallet::reserve(conn, wallet.id, *sun, *bandwidth, wallet.last_timestamp_ms, now).await?;
            }
        }
        Ok(())
    }
}
