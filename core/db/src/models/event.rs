//! What happened, for those outside. Written once, in the transaction of its cause, with a delivery for each endpoint
//! that asked for it.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::Conn;
use crate::schema::{events as e, webhook_endpoints as w};
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
        /// An operator tries an endpoint out.
        WebhookTest = "webhook.test",
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
    /// Whether there is any endpoint, so that events are kept at all.
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
        out.push_sql(" IS NULL THEN w.event_types = '{}' OR event.event_type = ANY (w.event_types) ELSE w.id = ");
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.only)?;
        out.push_sql(" END");
        Ok(())
    }
}

impl QueryId for EmitRows {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}
