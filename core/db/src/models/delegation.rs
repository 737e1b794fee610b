//! Delegations: each for one order, or for a part of it, later undone.

mod endings;
mod parts;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::delegations as d;
use crate::text_enum;
use crate::{Conn, Prepare as _};

text_enum! {
    /// Where a delegation stands.
    DelegationState {
        /// A transaction that makes it may still land.
        Reserved = "reserved",
        /// On chain.
        Active = "active",
        /// On chain, and a transaction that undoes it may still land.
        Reclaiming = "reclaiming",
        /// Undone on chain.
        Reclaimed = "reclaimed",
        /// Given up: no transaction of it can ever land.
        Released = "released",
    }
}

impl DelegationState {
    /// States that hold stake of the wallet.
    pub const LIVE: [Self; 3] = [Self::Reserved, Self::Active, Self::Reclaiming];
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Identifiable)]
#[diesel(table_name = d, check_for_backend(diesel::pg::Pg))]
pub struct Delegation {
    pub id: Uuid,
    pub order_id: Uuid,
    pub wallet_id: Uuid,
    pub network: String,
    pub receiver: String,
    pub energy: i64,
    pub amount_sun: i64,
    pub state: DelegationState,
    pub block_number: Option<i64>,
    pub reclaim_block_number: Option<i64>,
    pub active_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
    pub reclaimed_at: Option<DateTime<Utc>>,
    /// It delivers no order: the transaction that made it was held for dead, or its order ended without the other parts.
    pub stray: bool,
    /// It has only a part of its order's energy.
    pub partial: bool,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug)]
pub struct NewDelegation<'a> {
    pub id: Uuid,
    pub order_id: Uuid,
    pub wallet_id: Uuid,
    pub network: &'a str,
    pub receiver: &'a str,
    pub energy: i64,
    pub amount_sun: i64,
    pub partial: bool,
    pub state: DelegationState,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A delegation that is on chain.
#[derive(Debug, Clone)]
pub struct Activation {
    pub id: Uuid,
    pub block_number: i64,
    pub active_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

impl NewDelegation<'_> {
    /// One text for any number of them.
    pub async fn insert_many(conn: &mut Conn, rows: &[Self]) -> QueryResult<()> {
        diesel::sql_query(
            "INSERT INTO delegations \
                (id, order_id, wallet_id, network, receiver, energy, amount_sun, partial, state, created_at, updated_at) \
             SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.order_id).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.wallet_id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.network).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.receiver).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.energy).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.amount_sun).collect::<Vec<_>>())
        .bind::<Array<Bool>, _>(rows.iter().map(|row| row.partial).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.state).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.created_at).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.updated_at).collect::<Vec<_>>())
        .prepared()
        .execute(conn)
        .await
        .map(drop)
    }
}

impl Delegation {
    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        d::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        d::table
            .find(id)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// Which of these wallets have a live delegation to which of these receivers.
    pub async fn live_pairs(conn: &mut Conn, wallets: &[Uuid], receivers: &[&str]) -> QueryResult<Vec<(Uuid, String)>> {
        d::table
            .filter(d::wallet_id.eq_any(wallets).and(d::receiver.eq_any(receivers)))
            .filter(d::state.eq_any(DelegationState::LIVE))
            .select((d::wallet_id, d::receiver))
            .distinct()
            .load(conn)
            .await
    }

    /// Which wallets were tried for which of these orders.
    pub async fn tried_pairs(conn: &mut Conn, orders: &[Uuid]) -> QueryResult<Vec<(Uuid, Uuid)>> {
        d::table
            .filter(d::order_id.eq_any(orders))
            .select((d::wallet_id, d::order_id))
            .distinct()
            .load(conn)
            .await
    }

    /// Every delegation tried for an order, oldest first.
    pub async fn of_order(conn: &mut Conn, order: Uuid) -> QueryResult<Vec<Self>> {
        d::table
            .filter(d::order_id.eq(order))
            .order(d::id)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Every delegation tried for these orders.
    pub async fn of_orders(conn: &mut Conn, orders: &[Uuid]) -> QueryResult<Vec<Self>> {
        d::table
            .filter(d::order_id.eq_any(orders))
            .order(d::id)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Locked in id order, so that two callers cannot deadlock.
    pub async fn lock_many(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Self>> {
        d::table
            .filter(d::id.eq_any(ids))
            .order(d::id)
            .select(Self::as_select())
            .for_update()
            .load(conn)
            .await
    }

    /// Guarded: `reserved` to `active`. Answers how many moved.
    pub async fn set_active(conn: &mut Conn, all: &[Activation], now: DateTime<Utc>) -> QueryResult<usize> {
        diesel::sql_query(
            "UPDATE delegations d SET state = 'active', block_number = a.block_number, active_at = a.active_at, \
                ends_at = a.ends_at, updated_at = $5 \
             FROM unnest($1, $2, $3, $4) AS a (id, block_number, active_at, ends_at) \
             WHERE d.id = a.id AND d.state = 'reserved'",
        )
        .bind::<Array<SqlUuid>, _>(all.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(all.iter().map(|row| row.block_number).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(all.iter().map(|row| row.active_at).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(all.iter().map(|row| row.ends_at).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(now)
        .prepared()
        .execute(conn)
        .await
    }

    /// Guarded: `released` to `active`, as a stray whose time is up.
    pub async fn set_stray(
        conn: &mut Conn,
        id: Uuid,
        block_number: i64,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = d::table.filter(d::id.eq(id).and(d::state.eq(DelegationState::Released)));
        let set = (
            d::state.eq(DelegationState::Active),
            d::stray.eq(true),
            d::block_number.eq(block_number),
            d::active_at.eq(at),
            d::ends_at.eq(at),
            d::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).prepared().execute(conn).await? == 1)
    }

    /// Guarded: from one state to another that needs no new column.
    pub async fn set_state(
        conn: &mut Conn,
        id: Uuid,
        from: DelegationState,
        to: DelegationState,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = d::table.filter(d::id.eq(id).and(d::state.eq(from)));
        let set = (
            d::state.eq(to),
            d::reclaimed_at.eq(None::<DateTime<Utc>>),
            d::reclaim_block_number.eq(None::<i64>),
            d::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).prepared().execute(conn).await? == 1)
    }

    /// [`Self::set_state`] of several; answers how many moved.
    pub async fn set_states(
        conn: &mut Conn,
        ids: &[Uuid],
        from: DelegationState,
        to: DelegationState,
        now: DateTime<Utc>,
    ) -> QueryResult<usize> {
        diesel::sql_query(
            "UPDATE delegations SET state = $3, reclaimed_at = NULL, reclaim_block_number = NULL, updated_at = $4 \
             WHERE id = ANY($1) AND state = $2",
        )
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Text, _>(from)
        .bind::<Text, _>(to)
        .bind::<Timestamptz, _>(now)
        .prepared()
        .execute(conn)
        .await
    }

    /// Guarded: `reclaiming` to `reclaimed`, each by its block and at its time. Answers how many moved.
    pub async fn set_reclaimed(
        conn: &mut Conn,
        all: &[(Uuid, i64, DateTime<Utc>)],
        now: DateTime<Utc>,
    ) -> QueryResult<usize> {
        diesel::sql_query(
            "UPDATE delegations d SET state = 'reclaimed', reclaim_block_number = a.block_number, \
                reclaimed_at = a.at, updated_at = $4 \
             FROM unnest($1, $2, $3) AS a (id, block_number, at) \
             WHERE d.id = a.id AND d.state = 'reclaiming'",
        )
        .bind::<Array<SqlUuid>, _>(all.iter().map(|row| row.0).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(all.iter().map(|row| row.1).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(all.iter().map(|row| row.2).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(now)
        .prepared()
        .execute(conn)
        .await
    }
}
