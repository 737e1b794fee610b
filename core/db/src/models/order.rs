//! Orders.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::Verdict;
use super::list::{Span, narrow, narrow_to_any, page_by};

use crate::schema::orders as o;
use crate::text_enum;
use crate::{Conn, Prepare as _};

text_enum! {
    /// Where an order stands.
    OrderState {
        /// Accepted and paid into escrow.
        Pending = "pending",
        /// A transaction for it was signed.
        Processing = "processing",
        /// The energy is delegated.
        Completed = "completed",
        /// It cannot be delivered; passes at once into `refunded`.
        Failed = "failed",
        /// Withdrawn before anything was signed; the money is back.
        Cancelled = "cancelled",
        /// It could not be delivered; the money is back.
        Refunded = "refunded",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable)]
#[diesel(table_name = o, check_for_backend(diesel::pg::Pg))]
pub struct Order {
    pub id: Uuid,
    pub user_id: i64,
    pub api_key_id: Uuid,
    pub network: String,
    pub receiver: String,
    pub energy: i64,
    pub duration_s: i32,
    pub price_sun: i64,
    pub price_version_id: Uuid,
    pub state: OrderState,
    pub attempts: i32,
    pub deadline_at: DateTime<Utc>,
    pub reason_code: Option<String>,
    pub completed_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
    pub settled_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = o)]
pub struct NewOrder<'a> {
    pub id: Uuid,
    pub user_id: i64,
    pub api_key_id: Uuid,
    pub network: &'a str,
    pub receiver: &'a str,
    pub energy: i64,
    pub duration_s: i32,
    pub price_sun: i64,
    pub price_version_id: Uuid,
    pub state: OrderState,
    pub deadline_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An order whose energy is delegated.
#[derive(Debug, Clone)]
pub struct Completion {
    pub id: Uuid,
    pub completed_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

/// An order with what its delivery needs to know.
#[derive(Debug, Clone)]
pub struct ToDeliver {
    pub order: Order,
    pub receiver_is_good: bool,
    /// Total energy and total weight of the network's market.
    pub market: Option<(i64, i64)>,
}

/// What a list of orders is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    pub user_id: Option<i64>,
    /// One of these; none of them: any.
    pub states: Vec<OrderState>,
    pub receiver: Option<String>,
    pub reason: Option<String>,
    /// Of a transaction that delegated its energy or took it back.
    pub txid: Option<String>,
    /// When it was accepted; without the end.
    pub created: Span<DateTime<Utc>>,
    /// Both ends included.
    pub energy: Span<i64>,
    /// Both ends included.
    pub price_sun: Span<i64>,
    pub oldest_first: bool,
}

impl NewOrder<'_> {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<Order> {
        diesel::insert_into(o::table)
            .values(self)
            .returning(Order::as_returning())
            .prepared()
            .get_result(conn)
            .await
    }
}

impl Order {
    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        o::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        o::table
            .find(id)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// A page of the orders behind `place` (an order's id) in the filter's direction.
    pub async fn page(
        conn: &mut Conn,
        filter: &OrderFilter,
        place: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = o::table.select(Self::as_select()).limit(limit).into_boxed();
        narrow!(query,
            filter.user_id => o::user_id, eq;
            filter.receiver.as_deref() => o::receiver, eq;
            filter.reason.as_deref() => o::reason_code, eq;
            filter.created.from => o::created_at, ge;
            filter.created.to => o::created_at, lt;
            filter.energy.from => o::energy, ge;
            filter.energy.to => o::energy, le;
            filter.price_sun.from => o::price_sun, ge;
            filter.price_sun.to => o::price_sun, le;
        );
        narrow_to_any!(query, filter.states.as_slice() => o::state);
        if let Some(txid) = filter.txid.as_deref() {
            let of_transaction = diesel::dsl::sql::<Bool>(
                "orders.id IN (SELECT d.order_id FROM chain_transactions c JOIN delegations d ON d.id = c.intent_id \
                 WHERE c.txid = ",
            );
            query = query.filter(of_transaction.bind::<Text, _>(txid).sql(")"));
        }
        page_by!(query, o::id, place, filter.oldest_first);
        query.load(conn).await
    }

    /// Every order in turn, oldest first: those after `after`.
    pub async fn after(conn: &mut Conn, after: Option<Uuid>, limit: i64) -> QueryResult<Vec<Self>> {
        let after = after.unwrap_or_else(Uuid::nil);
        o::table
            .filter(o::id.gt(after))
            .order(o::id)
            .limit(limit)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Guarded: from one state to another. Clears or sets the reason.
    pub async fn set_state(
        conn: &mut Conn,
        id: Uuid,
        from: OrderState,
        to: OrderState,
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = o::table.filter(o::id.eq(id).and(o::state.eq(from)));
        let set = (o::state.eq(to), o::reason_code.eq(reason), o::updated_at.eq(now));
        Ok(diesel::update(row).set(set).prepared().execute(conn).await? == 1)
    }

    /// An order with what its delivery needs to know: whether its receiver was found good since `since`, and energy and
    /// weight of its network's market, if that was read.
    pub async fn to_deliver(conn: &mut Conn, id: Uuid, since: DateTime<Utc>) -> QueryResult<Option<ToDeliver>> {
        use crate::schema::{chain_cursors as c, receiver_checks as r};
        let check = r::network
            .eq(o::network)
            .and(r::address.eq(o::receiver))
            .and(r::verdict.eq(Verdict::Ok))
            .and(r::checked_at.ge(since));
        o::table
            .left_join(r::table.on(check))
            .left_join(c::table.on(c::network.eq(o::network)))
            .filter(o::id.eq(id))
            .select((
                Self::as_select(),
                r::address.nullable().is_not_null(),
                (c::total_energy_limit, c::total_energy_weight).nullable(),
            ))
            .first::<(Self, bool, Option<(i64, i64)>)>(conn)
            .await
            .optional()
            .map(|row| {
                row.map(|(order, receiver_is_good, market)| ToDeliver {
                    order,
                    receiver_is_good,
                    market,
                })
            })
    }

    /// Locked in id order, so that two callers cannot deadlock.
    pub async fn lock_many(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Self>> {
        o::table
            .filter(o::id.eq_any(ids))
            .order(o::id)
            .select(Self::as_select())
            .for_update()
            .load(conn)
            .await
    }

    pub async fn find_many(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Self>> {
        o::table
            .filter(o::id.eq_any(ids))
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Guarded: `pending` to `processing`, one attempt more. Answers how many moved.
    pub async fn set_processing(conn: &mut Conn, ids: &[Uuid], now: DateTime<Utc>) -> QueryResult<usize> {
        let rows = o::table.filter(o::id.eq_any(ids).and(o::state.eq(OrderState::Pending)));
        let set = (
            o::state.eq(OrderState::Processing),
            o::attempts.eq(o::attempts + 1),
            o::reason_code.eq(None::<String>),
            o::updated_at.eq(now),
        );
        diesel::update(rows).set(set).prepared().execute(conn).await
    }

    /// Guarded: one attempt more for an order that is being processed and lacks a part.
    pub async fn count_attempt(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = o::table.filter(o::id.eq(id).and(o::state.eq(OrderState::Processing)));
        let set = (
            o::attempts.eq(o::attempts + 1),
            o::reason_code.eq(None::<String>),
            o::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: `processing` to `completed`. Answers how many moved.
    pub async fn set_completed(conn: &mut Conn, all: &[Completion], now: DateTime<Utc>) -> QueryResult<usize> {
        diesel::sql_query(
            "UPDATE orders o SET state = 'completed', completed_at = c.completed_at, ends_at = c.ends_at, \
                reason_code = NULL, updated_at = $4 \
             FROM unnest($1, $2, $3) AS c (id, completed_at, ends_at) \
             WHERE o.id = c.id AND o.state = 'processing'",
        )
        .bind::<Array<SqlUuid>, _>(all.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(all.iter().map(|row| row.completed_at).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(all.iter().map(|row| row.ends_at).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(now)
        .prepared()
        .execute(conn)
        .await
    }

    /// Why an open order is not delivered yet; no state changes.
    pub async fn set_reason(conn: &mut Conn, id: Uuid, reason: &str, now: DateTime<Utc>) -> QueryResult<bool> {
        let open = o::state.eq_any([OrderState::Pending, OrderState::Processing]);
        let row = o::table.filter(o::id.eq(id).and(open));
        let set = (o::reason_code.eq(reason), o::updated_at.eq(now));
        Ok(diesel::update(row).set(set).prepared().execute(conn).await? == 1)
    }

    /// Guarded: a rental that ended at `from` ends at `to`.
    pub async fn set_end(
        conn: &mut Conn,
        id: Uuid,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = o::table.filter(o::id.eq(id).and(o::state.eq(OrderState::Completed)));
        let row = row.filter(o::ends_at.eq(from));
        let set = (o::ends_at.eq(to), o::updated_at.eq(now));
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Marks completed orders as settled; answers those that were not yet.
    pub async fn set_settled(conn: &mut Conn, ids: &[Uuid], now: DateTime<Utc>) -> QueryResult<Vec<Self>> {
        let rows = o::table.filter(
            o::id
                .eq_any(ids)
                .and(o::state.eq(OrderState::Completed))
                .and(o::settled_at.is_null()),
        );
        diesel::update(rows)
            .set((o::settled_at.eq(now), o::updated_at.eq(now)))
            .returning(Self::as_returning())
            .prepared()
            .get_results(conn)
            .await
    }

    /// Pending orders past their deadline, locked, skipping those that somebody works on.
    pub async fn lock_past_deadline(conn: &mut Conn, now: DateTime<Utc>, limit: i64) -> QueryResult<Vec<Self>> {
        o::table
            .filter(o::state.eq(OrderState::Pending).and(o::deadline_at.lt(now)))
            .order(o::deadline_at)
            .limit(limit)
            .select(Self::as_select())
            .for_update()
            .skip_locked()
            .load(conn)
            .await
    }

    /// Whether a pending order of a network waits for this reason.
    pub async fn any_waiting_for(conn: &mut Conn, network: &str, reason: &str) -> QueryResult<bool> {
        let rows = o::table
            .filter(o::state.eq(OrderState::Pending).and(o::network.eq(network)))
            .filter(o::reason_code.eq(reason).assume_not_null());
        diesel::select(diesel::dsl::exists(rows)).get_result(conn).await
    }

    /// Pending orders, the nearest deadline first.
    pub async fn pending_ids(conn: &mut Conn, limit: i64) -> QueryResult<Vec<Uuid>> {
        o::table
            .filter(o::state.eq(OrderState::Pending))
            .order(o::deadline_at)
            .limit(limit)
            .select(o::id)
            .load(conn)
            .await
    }

    /// How many orders are in each state that is not an end, for metrics.
    pub async fn count_open(conn: &mut Conn) -> QueryResult<Vec<(OrderState, i64)>> {
        o::table
            .filter(o::state.eq_any([OrderState::Pending, OrderState::Processing]))
            .group_by(o::state)
            .select((o::state, diesel::dsl::count_star()))
            .load(conn)
            .await
    }
}
