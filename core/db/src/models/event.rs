//! What happened, for those outside. Written once, in the transaction of its cause, with a delivery for each endpoint
//! that asked for it.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::Conn;
use crate::schema::{events as e, events_gone as g, webhook_deliveries as d, webhook_endpoints as w};
use crate::text_enum;

text_enum! {
    /// What can happen. The words are what receivers see: they never change.
    EventType {
        /// An order was accepted and paid into escrow.
        OrderCreated = "order.created",
        /// The energy arrived.
        OrderCompleted = "order.completed",
        /// The delivery can no longer be reverted.
        OrderSettled = "order.settled",
        /// It could not be delivered; the money is back.
        OrderRefunded = "order.refunded",
        /// It was withdrawn before anything was signed; the money is back.
        OrderCancelled = "order.cancelled",
        /// More time was bought for the rental.
        OrderExtended = "order.extended",
        /// The rental ended and the energy was taken back.
        OrderReclaimed = "order.reclaimed",
        /// What keeps an address has ended: its date, its budget, or by wish.
        StandingOrderEnded = "standing_order.ended",
        /// An address has too little energy, and none can be ordered for it now.
        StandingOrderHeld = "standing_order.held",
        /// A transfer to us is in a block that may still be reverted.
        DepositDetected = "deposit.detected",
        /// A transfer was credited.
        DepositCredited = "deposit.credited",
        /// Less than was announced came.
        DepositPartial = "deposit.partial",
        /// A transfer waits for an operator.
        DepositHeld = "deposit.held",
        /// The block of a transfer was reverted.
        DepositReverted = "deposit.reverted",
        /// What was announced did not come in time.
        DepositExpired = "deposit.expired",
        /// A deposit was paid, and the order that it was to buy could not be placed; the money is on the balance.
        DepositOrderFailed = "deposit.order_failed",
        /// USDT of a user became TRX.
        ExchangeCompleted = "exchange.completed",
        /// What was to be exchanged is not: the user has spent it, or it is too little.
        ExchangeFailed = "exchange.failed",
        /// A payout was asked for and its amount held.
        PayoutRequested = "payout.requested",
        /// An operator let it go.
        PayoutApproved = "payout.approved",
        /// An operator refused it; the money is back.
        PayoutRejected = "payout.rejected",
        /// Its transaction was sent.
        PayoutSent = "payout.sent",
        /// Its transaction is final.
        PayoutCompleted = "payout.completed",
        /// It cannot be paid; the money is back.
        PayoutFailed = "payout.failed",
        /// A supplier wallet takes orders again, or for the first time.
        WalletEnabled = "wallet.enabled",
        /// A supplier wallet was switched off.
        WalletDisabled = "wallet.disabled",
        /// A supplier wallet gets no orders for now.
        WalletIsolated = "wallet.isolated",
        /// An operator tries an endpoint out.
        WebhookTest = "webhook.test",
    }
}

impl EventType {
    /// Whether an endpoint is told of it only where it names it; as [`EmitRows`] has it.
    #[must_use]
    pub fn has_to_be_named(self) -> bool {
        self.word().starts_with("wallet.")
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = e, check_for_backend(diesel::pg::Pg))]
pub struct Event {
    pub id: Uuid,
    pub event_type: EventType,
    pub subject_kind: String,
    pub subject_id: String,
    pub user_id: Option<i64>,
    pub data: Value,
    pub created_at: DateTime<Utc>,
    pub xact: i64,
    pub place: i64,
}

/// Where a reader of events is: everything up to here he has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPlace {
    /// The number of the transaction that wrote the event.
    pub xact: i64,
    /// Its place among all events.
    pub place: i64,
}

impl EventPlace {
    /// Behind all that transactions below this number wrote.
    #[must_use]
    pub const fn before(horizon: i64) -> Self {
        Self {
            xact: horizon - 1,
            place: i64::MAX,
        }
    }
}

/// What of events is read.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    pub types: Vec<EventType>,
    pub user_id: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct NewEventRow<'a> {
    pub id: Uuid,
    pub event_type: EventType,
    pub subject_kind: &'a str,
    pub subject_id: String,
    pub user_id: Option<i64>,
    pub data: Value,
    pub created_at: DateTime<Utc>,
}

impl Event {
    /// The event's place.
    #[must_use]
    pub const fn at(&self) -> EventPlace {
        EventPlace {
            xact: self.xact,
            place: self.place,
        }
    }

    /// The smallest number of a transaction that may still write: below it nothing more comes.
    pub async fn horizon(conn: &mut Conn) -> QueryResult<i64> {
        diesel::select(sql::<BigInt>("pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
            .get_result(conn)
            .await
    }

    /// Of a page of what is behind `after` and below `horizon`, in order.
    pub async fn page(
        conn: &mut Conn,
        (after, horizon): (EventPlace, i64),
        filter: &EventFilter,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let behind = e::xact.gt(after.xact).or(e::place.gt(after.place));
        let mut query = e::table
            .filter(e::xact.ge(after.xact).and(behind))
            .filter(e::xact.lt(horizon))
            .filter(e::event_type.eq_any(&filter.types))
            .order((e::xact, e::place))
            .limit(limit)
            .select(Self::as_select())
            .into_boxed();
        if let Some(user) = filter.user_id {
            query = query.filter(e::user_id.eq(user));
        }
        query.load(conn).await
    }

    /// The number of the transaction that wrote the event which is so many ahead of `after`, if there are as many.
    pub async fn ahead(conn: &mut Conn, after: EventPlace, count: i64) -> QueryResult<Option<i64>> {
        let behind = e::xact.gt(after.xact).or(e::place.gt(after.place));
        e::table
            .filter(e::xact.ge(after.xact).and(behind))
            .order((e::xact, e::place))
            .offset(count)
            .select(e::xact)
            .first(conn)
            .await
            .optional()
    }

    /// The number of the last transaction below `horizon` that wrote an event.
    pub async fn newest(conn: &mut Conn, horizon: i64) -> QueryResult<Option<i64>> {
        e::table
            .filter(e::xact.lt(horizon))
            .order((e::xact.desc(), e::place.desc()))
            .select(e::xact)
            .first(conn)
            .await
            .optional()
    }

    /// The largest number of a transaction whose events went.
    pub async fn gone(conn: &mut Conn) -> QueryResult<i64> {
        g::table.select(g::xact).first(conn).await
    }

    /// Removes at most `limit` of before that time which no message is kept about; answers how many.
    pub async fn prune(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> QueryResult<usize> {
        // ids begin with the time that they were made at: the oldest are found by them
        let bound = first_id_of(before);
        let told = d::table.filter(d::event_id.eq(e::id)).select(d::event_id);
        let old = e::table
            .filter(e::id.lt(bound))
            .filter(e::created_at.lt(before))
            .filter(diesel::dsl::not(diesel::dsl::exists(told)))
            .order(e::id)
            .limit(limit)
            .select((e::id, e::xact));
        let old: Vec<(Uuid, i64)> = old.load(conn).await?;
        let Some(last) = old.iter().map(|(_, xact)| *xact).max() else {
            return Ok(0);
        };
        let ids = old.iter().map(|(id, _)| *id);
        let gone = diesel::delete(e::table.filter(e::id.eq_any(ids))).execute(conn).await?;
        let further = g::table.filter(g::xact.lt(last));
        diesel::update(further).set(g::xact.eq(last)).execute(conn).await?;
        Ok(gone)
    }

    /// Whether there is any endpoint that messages are kept for.
    pub async fn anybody_listens(conn: &mut Conn) -> QueryResult<bool> {
        let endpoints = w::table.filter(w::deleted_at.is_null());
        diesel::select(diesel::dsl::exists(endpoints)).get_result(conn).await
    }

    /// All of one type, oldest first.
    pub async fn of_type(conn: &mut Conn, event_type: EventType) -> QueryResult<Vec<Self>> {
        e::table
            .filter(e::event_type.eq(event_type))
            .order(e::id)
            .limit(1_000)
            .select(Self::as_select())
            .load(conn)
            .await
    }
}

/// The one statement that writes events and, out of them, the deliveries to every enabled endpoint that asked for them.
///
/// A query fragment of a known type is prepared once per connection, which `sql_query` is not.
pub struct EmitRows {
    ids: Vec<Uuid>,
    types: Vec<EventType>,
    kinds: Vec<String>,
    subjects: Vec<String>,
    users: Vec<Option<i64>>,
    data: Vec<Value>,
    times: Vec<DateTime<Utc>>,
    /// To this endpoint alone, whatever it asked for.
    only: Option<Uuid>,
}

impl EmitRows {
    /// Of these events, to `only` one endpoint or to all that asked.
    #[must_use]
    pub fn of(events: Vec<NewEventRow<'_>>, only: Option<Uuid>) -> Self {
        let mut rows = Self {
            ids: Vec::with_capacity(events.len()),
            types: Vec::with_capacity(events.len()),
            kinds: Vec::with_capacity(events.len()),
            subjects: Vec::with_capacity(events.len()),
            users: Vec::with_capacity(events.len()),
            data: Vec::with_capacity(events.len()),
            times: Vec::with_capacity(events.len()),
            only,
        };
        for event in events {
            rows.ids.push(event.id);
            rows.types.push(event.event_type);
            rows.kinds.push(event.subject_kind.to_owned());
            rows.subjects.push(event.subject_id);
            rows.users.push(event.user_id);
            rows.data.push(event.data);
            rows.times.push(event.created_at);
        }
        rows
    }

    /// Writes them; answers how many deliveries there are to make.
    pub async fn insert(self, conn: &mut Conn) -> QueryResult<usize> {
        self.execute(conn).await
    }
}

impl QueryFragment<Pg> for EmitRows {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "WITH event AS (INSERT INTO events (id, event_type, subject_kind, subject_id, user_id, data, created_at) \
             SELECT * FROM unnest(",
        );
        out.push_bind_param::<Array<SqlUuid>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.types)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.kinds)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.subjects)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.users)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Jsonb>, _>(&self.data)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.times)?;
        out.push_sql(
            ") RETURNING id, event_type, created_at) \
             INSERT INTO webhook_deliveries (endpoint_id, event_id, event_type, state, next_attempt_at, created_at, \
             updated_at) \
             SELECT w.id, event.id, event.event_type, 'pending', event.created_at, event.created_at, event.created_at \
             FROM event JOIN webhook_endpoints w ON w.enabled AND w.deleted_at IS NULL \
             AND CASE WHEN ",
        );
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.only)?;
        out.push_sql(
            " IS NULL THEN event.event_type = ANY (w.event_types) OR (w.event_types = '{}' \
             AND NOT starts_with(event.event_type, 'wallet.')) ELSE w.id = ",
        );
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.only)?;
        out.push_sql(" END");
        Ok(())
    }
}

impl QueryId for EmitRows {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

/// The smallest id that is made at a time or later (UUID version 7: milliseconds first).
fn first_id_of(at: DateTime<Utc>) -> Uuid {
    let ms = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(ms << 80)
}
