//! Addresses that are to have energy for a time, and the orders that were placed for it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::list::narrow_to_any;
use crate::Conn;
use crate::schema::{standing_order_orders as t, standing_orders as s};
use crate::text_enum;

text_enum! {
    /// Where a standing order stands.
    StandingState {
        /// Looked at, and ordered for.
        Active = "active",
        /// Over.
        Ended = "ended",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = s, check_for_backend(diesel::pg::Pg))]
pub struct StandingOrder {
    pub id: Uuid,
    pub user_id: i64,
    /// Who asked for it.
    pub api_key_id: Uuid,
    pub network: String,
    pub receiver: String,
    /// What the address is to have at any time.
    pub keep_energy: i64,
    /// For how long each order is.
    pub duration_s: i32,
    pub budget_sun: i64,
    pub until: DateTime<Utc>,
    pub state: StandingState,
    /// Why it ended.
    pub end_code: Option<String>,
    /// Why it cannot order now.
    pub held_code: Option<String>,
    /// What the last look found the address to have.
    pub seen_energy: Option<i64>,
    pub seen_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What became of the orders of a standing order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct StandingFigures {
    /// How many were placed.
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    /// What they cost, less what was given back.
    #[diesel(sql_type = BigInt)]
    pub spent_sun: i64,
    /// Energy of its own that a read which surely holds every block up to the asked one may not show yet.
    #[diesel(sql_type = BigInt)]
    pub unseen_energy: i64,
    /// Stake of any rental of ours there that ends until the asked time. Not of one on its way back: a read may not show that
    /// any more, and it would be missed twice.
    #[diesel(sql_type = BigInt)]
    pub ending_sun: i64,
    /// The address of its last order could not receive.
    #[diesel(sql_type = Bool)]
    pub receiver_refused: bool,
    /// The key that it was asked for by is revoked, or the operator who asked for it is disabled.
    #[diesel(sql_type = Bool)]
    pub key_revoked: bool,
}

/// Rentals of an address are found by wallet and receiver, as their index has them: hence the join.
const FIGURES: &str = "SELECT \
    (SELECT count(*) FROM standing_order_orders WHERE standing_order_id = s.id) AS orders, \
    (SELECT COALESCE(sum(o.price_sun), 0)::bigint FROM standing_order_orders l JOIN orders o ON o.id = l.order_id \
        WHERE l.standing_order_id = s.id AND o.state NOT IN ('cancelled', 'refunded')) AS spent_sun, \
    (SELECT COALESCE(sum(o.energy), 0)::bigint FROM standing_order_orders l JOIN orders o ON o.id = l.order_id \
        WHERE l.standing_order_id = s.id AND (o.state IN ('pending', 'processing') OR (o.state = 'completed' \
            AND EXISTS (SELECT 1 FROM delegations d WHERE d.order_id = o.id AND d.block_number > $2 \
                AND d.state = 'active' AND NOT d.stray)))) AS unseen_energy, \
    (SELECT COALESCE(sum(d.amount_sun), 0)::bigint FROM delegations d JOIN supplier_wallets w ON w.id = d.wallet_id \
        WHERE d.receiver = s.receiver AND d.network = s.network AND d.state = 'active' \
            AND d.ends_at <= $3) AS ending_sun, \
    EXISTS (SELECT 1 FROM orders o WHERE o.state = 'refunded' AND o.reason_code LIKE 'receiver\\_%' \
        AND o.id = (SELECT l.order_id FROM standing_order_orders l WHERE l.standing_order_id = s.id \
            ORDER BY l.turn DESC LIMIT 1)) AS receiver_refused, \
    EXISTS (SELECT 1 FROM api_keys k WHERE k.id = s.api_key_id AND k.revoked_at IS NOT NULL) \
        OR EXISTS (SELECT 1 FROM operators p WHERE p.id = s.api_key_id AND p.disabled_at IS NOT NULL) AS key_revoked \
    FROM standing_orders s WHERE s.id = $1";

impl StandingOrder {
    /// `false` if the user has an active one for the address.
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<bool> {
        let inserted = diesel::insert_into(s::table)
            .values(self)
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
        Ok(inserted == 1)
    }

    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        s::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        s::table
            .find(id)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// How many of a user's are active.
    pub async fn count_active(conn: &mut Conn, user: i64) -> QueryResult<i64> {
        s::table
            .filter(s::user_id.eq(user).and(s::state.eq(StandingState::Active)))
            .count()
            .get_result(conn)
            .await
    }

    /// A page, newest first, of those before `before` (an id).
    pub async fn page(
        conn: &mut Conn,
        (user, states): (Option<i64>, &[StandingState]),
        before: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = s::table
            .select(Self::as_select())
            .order(s::id.desc())
            .limit(limit)
            .into_boxed();
        if let Some(user) = user {
            query = query.filter(s::user_id.eq(user));
        }
        narrow_to_any!(query, states => s::state);
        if let Some(before) = before {
            query = query.filter(s::id.lt(before));
        }
        query.load(conn).await
    }

    /// What became of its orders, for a read of the address that surely holds every block up to `block`.
    pub async fn figures(
        conn: &mut Conn,
        id: Uuid,
        block: i64,
        ending_until: DateTime<Utc>,
    ) -> QueryResult<StandingFigures> {
        diesel::sql_query(FIGURES)
            .bind::<SqlUuid, _>(id)
            .bind::<BigInt, _>(block)
            .bind::<diesel::sql_types::Timestamptz, _>(ending_until)
            .get_result(conn)
            .await
    }

    /// Notes an order as the next one.
    pub async fn add_order(conn: &mut Conn, id: Uuid, turn: i32, order: Uuid) -> QueryResult<()> {
        diesel::insert_into(t::table)
            .values((t::standing_order_id.eq(id), t::turn.eq(turn), t::order_id.eq(order)))
            .execute(conn)
            .await
            .map(drop)
    }

    /// The orders placed for it, newest first.
    pub async fn orders(conn: &mut Conn, id: Uuid, limit: i64) -> QueryResult<Vec<Uuid>> {
        t::table
            .filter(t::standing_order_id.eq(id))
            .order(t::turn.desc())
            .limit(limit)
            .select(t::order_id)
            .load(conn)
            .await
    }

    /// Guarded: what a look at an active one found.
    pub async fn set_seen(
        conn: &mut Conn,
        id: Uuid,
        energy: i64,
        held: Option<&str>,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = s::table.filter(s::id.eq(id).and(s::state.eq(StandingState::Active)));
        let set = (
            s::seen_energy.eq(energy),
            s::seen_at.eq(now),
            s::held_code.eq(held),
            s::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: `active` to `ended`.
    pub async fn set_ended(conn: &mut Conn, id: Uuid, code: &str, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = s::table.filter(s::id.eq(id).and(s::state.eq(StandingState::Active)));
        let set = (
            s::state.eq(StandingState::Ended),
            s::end_code.eq(code),
            s::held_code.eq(None::<String>),
            s::updated_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }
}
