//! Rentals without an account: coin that was sent to the published address, and what came of it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::list::{Span, narrow, narrow_to_any, page_by};
use crate::Conn;
use crate::schema::{incoming_transfers as t, rentals as r};
use crate::text_enum;

text_enum! {
    /// Where a rental stands.
    RentalState {
        /// It is credited; its order is to be placed.
        Waiting = "waiting",
        /// Its order is on its way.
        Placed = "placed",
        /// The energy was delivered, by a solidified block.
        Delivered = "delivered",
        /// A payout brings the coin back to its sender.
        Returning = "returning",
        /// A solidified block carries it.
        Returned = "returned",
        /// It waits for an operator, at the house's own customer.
        Held = "held",
        /// An operator let it be.
        Closed = "closed",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = r, check_for_backend(diesel::pg::Pg))]
pub struct Rental {
    pub transfer_id: Uuid,
    pub user_id: i64,
    pub api_key_id: Uuid,
    pub sender: String,
    pub amount_sun: i64,
    pub receiver: Option<String>,
    pub energy: Option<i64>,
    pub duration_s: Option<i32>,
    pub state: RentalState,
    pub order_id: Option<Uuid>,
    pub payout_id: Option<Uuid>,
    pub reason_code: Option<String>,
    pub held_code: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A change of a rental's state. What is `None` stays.
#[derive(Debug, Clone, Copy)]
pub struct RentalMove<'a> {
    pub to: RentalState,
    pub order_id: Option<Uuid>,
    pub payout_id: Option<Uuid>,
    pub reason_code: Option<&'a str>,
    pub held_code: Option<&'a str>,
}

impl RentalMove<'_> {
    /// To this state, and nothing else.
    #[must_use]
    pub const fn to(to: RentalState) -> Self {
        Self {
            to,
            order_id: None,
            payout_id: None,
            reason_code: None,
            held_code: None,
        }
    }
}

/// What a list of rentals is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct RentalFilter {
    /// One of these; none of them: any.
    pub states: Vec<RentalState>,
    /// The network and the transaction that brought the coin.
    pub transaction: Option<(String, String)>,
    pub sender: Option<String>,
    pub receiver: Option<String>,
    pub reason: Option<String>,
    /// When it was credited; without the end.
    pub created: Span<DateTime<Utc>>,
    /// What came, both ends included.
    pub amount_sun: Span<i64>,
    pub oldest_first: bool,
}

#[derive(AsChangeset)]
#[diesel(table_name = r)]
struct Changes<'a> {
    state: RentalState,
    order_id: Option<Uuid>,
    payout_id: Option<Uuid>,
    reason_code: Option<&'a str>,
    held_code: Option<&'a str>,
    updated_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Bool)]
    known: bool,
}

impl Rental {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(r::table).values(self).execute(conn).await.map(drop)
    }

    pub async fn find(conn: &mut Conn, transfer: Uuid) -> QueryResult<Option<Self>> {
        r::table
            .find(transfer)
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    pub async fn lock(conn: &mut Conn, transfer: Uuid) -> QueryResult<Option<Self>> {
        r::table
            .find(transfer)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// What a transaction bought, by the order of its transfers.
    pub async fn of_transaction(conn: &mut Conn, network: &str, txid: &str) -> QueryResult<Vec<Self>> {
        r::table
            .inner_join(t::table.on(t::id.eq(r::transfer_id)))
            .filter(t::network.eq(network).and(t::txid.eq(txid)))
            .order(t::log_index)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// A page of the rentals behind `place` (a rental's id) in the filter's direction, each with its transaction.
    pub async fn page(
        conn: &mut Conn,
        filter: &RentalFilter,
        place: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<(Self, String)>> {
        let mut query = r::table
            .inner_join(t::table.on(t::id.eq(r::transfer_id)))
            .limit(limit)
            .select((Self::as_select(), t::txid))
            .into_boxed();
        narrow!(query,
            filter.sender.as_deref() => r::sender, eq;
            filter.receiver.as_deref() => r::receiver, eq;
            filter.reason.as_deref() => r::reason_code, eq;
            filter.created.from => r::created_at, ge;
            filter.created.to => r::created_at, lt;
            filter.amount_sun.from => r::amount_sun, ge;
            filter.amount_sun.to => r::amount_sun, le;
        );
        narrow_to_any!(query, filter.states.as_slice() => r::state);
        if let Some((network, txid)) = &filter.transaction {
            query = query.filter(t::network.eq(network).and(t::txid.eq(txid)));
        }
        page_by!(query, r::transfer_id, place, filter.oldest_first);
        query.load(conn).await
    }

    /// Guarded by the state that the caller saw: `false` where it has moved on.
    pub async fn set(
        conn: &mut Conn,
        (transfer, from): (Uuid, RentalState),
        change: &RentalMove<'_>,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let changes = Changes {
            state: change.to,
            order_id: change.order_id,
            payout_id: change.payout_id,
            reason_code: change.reason_code,
            held_code: change.held_code,
            updated_at: now,
        };
        let row = r::table.find(transfer).filter(r::state.eq(from));
        Ok(diesel::update(row).set(changes).execute(conn).await? == 1)
    }

    /// Whether an address is one customer's own, as far as it was given to us as that.
    pub async fn is_customers_own(conn: &mut Conn, address: &str) -> QueryResult<bool> {
        let known: Known = diesel::sql_query(
            "SELECT count(DISTINCT user_id) = 1 AS known FROM (SELECT user_id FROM user_wallets WHERE address = $1 \
             UNION ALL SELECT user_id FROM payout_addresses WHERE address = $1) given",
        )
        .bind::<Text, _>(address)
        .get_result(conn)
        .await?;
        Ok(known.known)
    }
}
