//! What supply wallets have for sale.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{SupplierWallet, TRX, WalletPurpose, WalletState};
use crate::schema::{delegations as d, supplier_wallets as w};
use crate::{Conn, Prepare as _};

/// What every wallet that takes orders has, together.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct PoolFigures {
    /// Staked sun that can be lent now.
    #[diesel(sql_type = BigInt)]
    pub room_sun: i64,
    /// Staked sun that cannot, because its energy is used.
    #[diesel(sql_type = BigInt)]
    pub occupied_sun: i64,
    /// The most that one order can have: of one of them, or of as many as may share it.
    #[diesel(sql_type = BigInt)]
    pub largest_sun: i64,
    /// When the one was read that was read longest ago.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub read_at: Option<DateTime<Utc>>,
}

impl PoolFigures {
    /// Of wallets that have `bandwidth` for one transaction, or TRX to burn for it; so many of them may share an order, each
    /// with at least so much.
    pub async fn read(conn: &mut Conn, bandwidth: i64, (max_parts, least_sun): (i64, i64)) -> QueryResult<Self> {
        diesel::sql_query(
            "WITH wallets AS ( \
                SELECT GREATEST(delegatable_sun - reserved_sun, 0) AS room_sun, synced_at, \
                    GREATEST(staked_energy_sun - delegatable_sun, 0) AS occupied_sun \
                FROM supplier_wallets \
                WHERE purpose = 'supply' AND state = 'active' AND enabled AND isolated_at IS NULL \
                    AND (bandwidth_available >= $1 OR balance_sun >= $2)), \
             sharing AS (SELECT room_sun FROM wallets WHERE room_sun >= $4 ORDER BY room_sun DESC LIMIT $3) \
             SELECT COALESCE(sum(room_sun), 0)::bigint AS room_sun, \
                COALESCE(sum(occupied_sun), 0)::bigint AS occupied_sun, \
                GREATEST(COALESCE(max(room_sun), 0), (SELECT COALESCE(sum(room_sun), 0) FROM sharing))::bigint \
                    AS largest_sun, \
                min(synced_at) AS read_at \
             FROM wallets",
        )
        .bind::<BigInt, _>(bandwidth)
        .bind::<BigInt, _>(TRX)
        .bind::<BigInt, _>(max_parts)
        .bind::<BigInt, _>(least_sun)
        .prepared()
        .get_result(conn)
        .await
    }
}

impl SupplierWallet {
    /// Whether orders may be given to it.
    #[must_use]
    pub fn takes_orders(&self) -> bool {
        self.purpose == WalletPurpose::Supply
            && self.state == WalletState::Active
            && self.enabled
            && self.isolated_at.is_none()
    }

    /// Staked sun that it can lend now.
    #[must_use]
    pub const fn room_sun(&self) -> i64 {
        let room = self.delegatable_sun.saturating_sub(self.reserved_sun);
        if room > 0 { room } else { 0 }
    }

    /// Staked sun that can be lent now, over every wallet that takes orders.
    pub async fn sellable_sun(conn: &mut Conn) -> QueryResult<i64> {
        Ok(PoolFigures::read(conn, 0, (1, 0)).await?.room_sun)
    }

    /// Supply wallets whose key is in, in id order after `after`.
    pub async fn supply_page(conn: &mut Conn, after: Option<Uuid>, limit: i64) -> QueryResult<Vec<Self>> {
        let mut query = w::table
            .filter(w::purpose.eq(WalletPurpose::Supply))
            .filter(w::state.eq(WalletState::Active))
            .select(Self::as_select())
            .order(w::id)
            .limit(limit)
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(w::id.gt(after));
        }
        query.load(conn).await
    }

    /// TRX of supply wallets that were read and take orders, or have lent something.
    pub async fn balances_in_use(conn: &mut Conn) -> QueryResult<Vec<(Uuid, i64)>> {
        let lends = diesel::dsl::exists(d::table.filter(d::wallet_id.eq(w::id).and(d::state.eq_any([
            "reserved",
            "active",
            "reclaiming",
        ]))));
        let takes_orders = w::enabled.and(w::isolated_at.is_null());
        w::table
            .filter(w::purpose.eq(WalletPurpose::Supply))
            .filter(w::state.eq(WalletState::Active).and(w::synced_at.is_not_null()))
            .filter(takes_orders.or(lends))
            .order(w::id)
            .select((w::id, w::balance_sun))
            .load(conn)
            .await
    }
}
