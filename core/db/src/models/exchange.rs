//! USDT that becomes TRX.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::list::{Span, narrow, narrow_to_any, page_by};
use crate::Conn;
use crate::schema::exchanges as x;
use crate::text_enum;

text_enum! {
    /// Why something is exchanged.
    ExchangeCause {
        /// Somebody asked for it.
        Request = "request",
        /// It came in, and the settings ask for it.
        Deposit = "deposit",
    }
}
text_enum! {
    /// Where an exchange stands.
    ExchangeState {
        /// It waits for a fresh rate.
        Pending = "pending",
        /// The user has the TRX.
        Done = "done",
        /// Nothing was exchanged.
        Failed = "failed",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = x, check_for_backend(diesel::pg::Pg))]
pub struct Exchange {
    pub id: Uuid,
    pub user_id: i64,
    pub usdt_micro: i64,
    pub cause: ExchangeCause,
    pub transfer_id: Option<Uuid>,
    pub requested_by: String,
    pub state: ExchangeState,
    pub rate_id: Option<Uuid>,
    pub rate_sun_per_usdt: Option<i64>,
    pub fee_bp: Option<i32>,
    pub net_sun_per_usdt: Option<i64>,
    pub sun: Option<i64>,
    pub reason_code: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// At which rate an exchange was done, and what it gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = x)]
pub struct Exchanged {
    pub rate_id: Uuid,
    pub rate_sun_per_usdt: i64,
    pub fee_bp: i32,
    pub net_sun_per_usdt: i64,
    pub sun: i64,
}

/// What waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PendingExchanges {
    pub count: i64,
    pub oldest: Option<DateTime<Utc>>,
}

/// What a list of exchanges is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct ExchangeFilter {
    pub user_id: Option<i64>,
    /// One of these; none of them: any.
    pub states: Vec<ExchangeState>,
    pub cause: Option<ExchangeCause>,
    /// Of the transfer that brought the USDT.
    pub transfer_id: Option<Uuid>,
    /// When it was asked for; without the end.
    pub created: Span<DateTime<Utc>>,
    /// What is given, both ends included.
    pub usdt_micro: Span<i64>,
    pub oldest_first: bool,
}

impl Exchange {
    /// Keeps the exchange; `false` where its transfer has one already.
    pub async fn insert_if_new(&self, conn: &mut Conn) -> QueryResult<bool> {
        let rows = diesel::insert_into(x::table)
            .values(self)
            .on_conflict(x::transfer_id)
            .do_nothing()
            .execute(conn)
            .await?;
        Ok(rows == 1)
    }

    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        x::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    /// A page of the exchanges behind `place` (an exchange's id) in the filter's direction.
    pub async fn page(
        conn: &mut Conn,
        filter: &ExchangeFilter,
        place: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = x::table.select(Self::as_select()).limit(limit).into_boxed();
        narrow!(query,
            filter.user_id => x::user_id, eq;
            filter.cause => x::cause, eq;
            filter.transfer_id => x::transfer_id, eq;
            filter.created.from => x::created_at, ge;
            filter.created.to => x::created_at, lt;
            filter.usdt_micro.from => x::usdt_micro, ge;
            filter.usdt_micro.to => x::usdt_micro, le;
        );
        narrow_to_any!(query, filter.states.as_slice() => x::state);
        page_by!(query, x::id, place, filter.oldest_first);
        query.load(conn).await
    }

    /// The one that has waited longest and that nobody else works on, locked.
    pub async fn lock_next_pending(conn: &mut Conn) -> QueryResult<Option<Self>> {
        x::table
            .filter(x::state.eq(ExchangeState::Pending))
            .order((x::created_at, x::id))
            .select(Self::as_select())
            .for_update()
            .skip_locked()
            .first(conn)
            .await
            .optional()
    }

    pub async fn any_pending(conn: &mut Conn) -> QueryResult<bool> {
        let rows = x::table.filter(x::state.eq(ExchangeState::Pending));
        diesel::select(diesel::dsl::exists(rows)).get_result(conn).await
    }

    pub async fn pending(conn: &mut Conn) -> QueryResult<PendingExchanges> {
        let rows = x::table.filter(x::state.eq(ExchangeState::Pending));
        let (count, oldest) = rows
            .select((diesel::dsl::count_star(), diesel::dsl::min(x::created_at)))
            .first(conn)
            .await?;
        Ok(PendingExchanges { count, oldest })
    }

    /// Those that have waited since before `since`, oldest first.
    pub async fn pending_since(conn: &mut Conn, since: DateTime<Utc>, limit: i64) -> QueryResult<Vec<Self>> {
        x::table
            .filter(x::state.eq(ExchangeState::Pending).and(x::created_at.lt(since)))
            .order((x::created_at, x::id))
            .limit(limit)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Guarded: from `pending` to `done`.
    pub async fn set_done(conn: &mut Conn, id: Uuid, exchanged: &Exchanged, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = x::table.filter(x::id.eq(id).and(x::state.eq(ExchangeState::Pending)));
        let set = (
            x::state.eq(ExchangeState::Done),
            exchanged,
            x::updated_at.eq(now),
            x::ended_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// Guarded: from `pending` to `failed`.
    pub async fn set_failed(conn: &mut Conn, id: Uuid, reason: &str, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = x::table.filter(x::id.eq(id).and(x::state.eq(ExchangeState::Pending)));
        let set = (
            x::state.eq(ExchangeState::Failed),
            x::reason_code.eq(reason),
            x::updated_at.eq(now),
            x::ended_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }

    /// What waits to be exchanged of a transfer, locked.
    pub async fn lock_pending_of_transfer(conn: &mut Conn, transfer: Uuid) -> QueryResult<Option<Self>> {
        x::table
            .filter(x::transfer_id.eq(transfer).and(x::state.eq(ExchangeState::Pending)))
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }
}
