//! The wallets that a claim holds while it gives them to its orders.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{ChainCursor, Delegation, Order, SupplierWallet};
use uuid::Uuid;

use super::choice::{self, Candidate, Wanted};
use crate::DomainError;
use crate::intents::next_timestamp;

/// The wallets that this claim holds, with what it has promised of them so far.
pub(super) struct Free {
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
    /// These wallets, which the caller has locked, as they stand to these orders.
    pub(super) async fn of_in_tx(
        conn: &mut Conn,
        wallets: Vec<SupplierWallet>,
        orders: &[&Order],
    ) -> Result<Self, DomainError> {
        let ids: Vec<Uuid> = wallets.iter().map(|wallet| wallet.id).collect();
        let receivers: Vec<&str> = orders.iter().map(|order| order.receiver.as_str()).collect();
        let again = orders.iter().filter(|order| order.attempts > 0);
        let again: Vec<Uuid> = again.map(|order| order.id).collect();
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
    pub(super) fn take(
        &mut self,
        order: &Order,
        wanted: Wanted,
        cursor: &ChainCursor,
    ) -> Option<(SupplierWallet, i64)> {
        let chosen = choice::best(self.candidates(order), wanted)?;
        self.promise(chosen, order, wanted, cursor)
    }

    /// Promises so much of this wallet. Answers it with the timestamp to sign with.
    pub(super) fn promise(
        &mut self,
        wallet: Uuid,
        order: &Order,
        wanted: Wanted,
        cursor: &ChainCursor,
    ) -> Option<(SupplierWallet, i64)> {
        let wallet = self.wallets.iter_mut().find(|of| of.id == wallet)?;
        let timestamp_ms = next_timestamp(cursor, wallet);
        wallet.last_timestamp_ms = timestamp_ms;
        wallet.reserved_sun += wanted.amount_sun;
        wallet.bandwidth_available -= wanted.bandwidth;
        let promised = self.promised.entry(wallet.id).or_default();
        promised.0 += wanted.amount_sun;
        promised.1 += wanted.bandwidth;
        self.live.insert((wallet.id, order.receiver.clone()));
        Some((wallet.clone(), timestamp_ms))
    }

    /// The wallets as they stand to an order; the receiver itself is none.
    pub(super) fn candidates(&self, order: &Order) -> impl Iterator<Item = Candidate> {
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

    /// Writes what was promised.
    pub(super) async fn reserve_in_tx(&self, conn: &mut Conn, now: DateTime<Utc>) -> Result<(), DomainError> {
        for wallet in &self.wallets {
            if let Some((sun, bandwidth)) = self.promised.get(&wallet.id) {
                SupplierWallet::reserve(conn, wallet.id, *sun, *bandwidth, wallet.last_timestamp_ms, now).await?;
            }
        }
        Ok(())
    }
}
