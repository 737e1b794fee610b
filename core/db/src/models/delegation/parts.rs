//! Orders that several delegations deliver together. A delegation is *kept* while it was not given up and is no stray.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{Delegation, DelegationState};
use crate::schema::delegations as d;
use crate::{Conn, Prepare as _};

/// Of a part, all parts of its order that were not given up, too: what happens to one is decided by the others.
const LOCKED: &str = "SELECT * FROM delegations WHERE id IN (SELECT unnest($1) \
        UNION SELECT p.id FROM delegations o JOIN delegations p ON p.order_id = o.order_id \
        WHERE o.id = ANY($1) AND o.partial AND p.partial AND p.state <> 'released') \
    ORDER BY id FOR UPDATE";

/// Orders all of whose kept delegations are in blocks that can no longer be reverted.
const DELIVERED: &str = "SELECT DISTINCT d.order_id AS id FROM delegations d WHERE d.id = ANY($1) AND NOT d.stray \
    AND NOT (d.partial AND EXISTS (SELECT 1 FROM delegations p \
        WHERE p.order_id = d.order_id AND p.state <> 'released' AND NOT p.stray \
            AND NOT EXISTS (SELECT 1 FROM chain_transactions t WHERE t.intent_kind = 'delegate' AND t.intent_id = p.id \
                AND t.state = 'final' AND t.outcome = 'ok'))) \
    ORDER BY 1";

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = BigInt)]
    energy: i64,
    #[diesel(sql_type = BigInt)]
    parts: i64,
}

impl Delegation {
    /// Whether it delivers its order, or may still.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        !matches!(self.state, DelegationState::Released) && !self.stray
    }

    /// Locked in id order, so that two callers cannot deadlock: these, and the other parts of their orders.
    pub async fn lock_with_parts(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Self>> {
        diesel::sql_query(LOCKED)
            .bind::<Array<SqlUuid>, _>(ids)
            .prepared()
            .load(conn)
            .await
    }

    /// Locks the kept delegations of an order, in id order.
    pub async fn lock_kept(conn: &mut Conn, order: Uuid) -> QueryResult<Vec<Self>> {
        let kept = d::order_id.eq(order).and(d::stray.eq(false));
        d::table
            .filter(kept.and(d::state.ne(DelegationState::Released)))
            .order(d::id)
            .select(Self::as_select())
            .for_update()
            .load(conn)
            .await
    }

    /// How much of an order's energy is delegated or on its way, and in how many delegations. Stands still while the caller
    /// holds the order's row.
    pub async fn kept_of_order(conn: &mut Conn, order: Uuid) -> QueryResult<(i64, i64)> {
        let kept: Kept = diesel::sql_query(
            "SELECT COALESCE(sum(energy), 0)::bigint AS energy, count(*) AS parts FROM delegations \
             WHERE order_id = $1 AND state <> 'released' AND NOT stray",
        )
        .bind::<SqlUuid, _>(order)
        .get_result(conn)
        .await?;
        Ok((kept.energy, kept.parts))
    }

    /// The orders that are delivered for good, of those that these final delegations are for. Locks those in parts.
    pub async fn orders_delivered(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Uuid>> {
        // of two callers, each with a part of one order, the second sees what the first has made final
        let _held: Vec<Id> = diesel::sql_query(
            "SELECT id FROM orders WHERE id IN (SELECT order_id FROM delegations WHERE id = ANY($1) AND partial) \
             ORDER BY id FOR UPDATE",
        )
        .bind::<Array<SqlUuid>, _>(ids)
        .prepared()
        .load(conn)
        .await?;
        let orders: Vec<Id> = diesel::sql_query(DELIVERED)
            .bind::<Array<SqlUuid>, _>(ids)
            .prepared()
            .load(conn)
            .await?;
        Ok(orders.into_iter().map(|row| row.id).collect())
    }

    /// All that is delegated for an order ends together. Answers how many there are.
    pub async fn set_end_of_order(
        conn: &mut Conn,
        order: Uuid,
        ends_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> QueryResult<usize> {
        let rows = d::table.filter(d::order_id.eq(order).and(d::stray.eq(false)));
        let rows = rows.filter(d::state.eq(DelegationState::Active));
        diesel::update(rows)
            .set((d::ends_at.eq(ends_at), d::updated_at.eq(now)))
            .execute(conn)
            .await
    }

    /// The kept parts of an order that ends without being delivered: those on chain are over at once, those that may still
    /// land will be.
    pub async fn abandon_parts(conn: &mut Conn, order: Uuid, now: DateTime<Utc>) -> QueryResult<Vec<Uuid>> {
        let rows = d::table.filter(d::order_id.eq(order).and(d::partial).and(d::stray.eq(false)));
        let rows = rows.filter(d::state.eq_any([DelegationState::Reserved, DelegationState::Active]));
        diesel::update(rows)
            .set((d::stray.eq(true), d::ends_at.eq(d::active_at), d::updated_at.eq(now)))
            .returning(d::id)
            .get_results(conn)
            .await
    }
}
