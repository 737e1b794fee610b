//! Messages to endpoints, one per endpoint and event, and each send of one with what came of it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::EventType;
use super::list::{Span, narrow, narrow_to_any, page_by};
use crate::Conn;
use crate::schema::{events as e, webhook_attempts as a, webhook_deliveries as d};
use crate::text_enum;

text_enum! {
    /// Where a message stands.
    DeliveryState {
        /// To be sent, or sent again.
        Pending = "pending",
        /// The receiver has it.
        Delivered = "delivered",
        /// Given up; an operator may have it sent again.
        Failed = "failed",
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = d, check_for_backend(diesel::pg::Pg))]
pub struct WebhookDelivery {
    pub endpoint_id: Uuid,
    pub event_id: Uuid,
    pub event_type: EventType,
    pub state: DeliveryState,
    pub attempts: i32,
    pub next_attempt_at: DateTime<Utc>,
    pub delivered_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = a, check_for_backend(diesel::pg::Pg))]
pub struct WebhookAttempt {
    pub event_id: Uuid,
    pub at: DateTime<Utc>,
    pub status: Option<i32>,
    pub answer: Option<String>,
    pub error: Option<String>,
    pub duration_ms: i32,
}

/// A message to send, with its event.
#[derive(Debug, Clone, PartialEq)]
pub struct DueDelivery {
    pub event_id: Uuid,
    pub event_type: EventType,
    /// How often it was sent.
    pub attempts: i32,
    pub subject_kind: String,
    pub subject_id: String,
    pub data: Value,
    /// When it happened.
    pub happened_at: DateTime<Utc>,
}

/// What a list of messages is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// One of these; none of them: any.
    pub states: Vec<DeliveryState>,
    /// The same.
    pub event_types: Vec<EventType>,
    pub event: Option<Uuid>,
    /// When it was made; without the end.
    pub created: Span<DateTime<Utc>>,
    /// Of pages.
    pub oldest_first: bool,
}

/// One send of a message.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub endpoint_id: Uuid,
    pub event_id: Uuid,
    /// Sends before this one.
    pub earlier: i32,
    pub at: DateTime<Utc>,
    pub status: Option<i32>,
    pub answer: Option<String>,
    pub error: Option<String>,
    pub duration_ms: i32,
    pub outcome: AttemptOutcome,
}

/// What becomes of the message after a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    Delivered,
    RetryAt(DateTime<Utc>),
    Failed,
}

/// Messages to an endpoint, narrowed.
macro_rules! fitting {
    ($endpoint:expr, $filter:expr) => {{
        let filter: &DeliveryFilter = $filter;
        let mut query = d::table.filter(d::endpoint_id.eq($endpoint)).into_boxed();
        narrow!(query,
            filter.event => d::event_id, eq;
            filter.created.from => d::created_at, ge;
            filter.created.to => d::created_at, lt;
        );
        narrow_to_any!(query, filter.states.as_slice() => d::state);
        narrow_to_any!(query, filter.event_types.as_slice() => d::event_type);
        query
    }};
}

impl WebhookDelivery {
    pub async fn find(conn: &mut Conn, endpoint: Uuid, event: Uuid) -> QueryResult<Option<Self>> {
        d::table
            .find((endpoint, event))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// A page of the messages behind the event `place` in the filter's direction.
    pub async fn page(
        conn: &mut Conn,
        endpoint: Uuid,
        filter: &DeliveryFilter,
        place: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = fitting!(endpoint, filter).limit(limit).select(Self::as_select());
        page_by!(query, d::event_id, place, filter.oldest_first);
        query.load(conn).await
    }

    /// Those that fit, oldest first, at most `limit`.
    pub async fn oldest(
        conn: &mut Conn,
        endpoint: Uuid,
        filter: &DeliveryFilter,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        fitting!(endpoint, filter)
            .order(d::event_id)
            .limit(limit)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// How many fit.
    pub async fn count(conn: &mut Conn, endpoint: Uuid, filter: &DeliveryFilter) -> QueryResult<i64> {
        fitting!(endpoint, filter).count().get_result(conn).await
    }

    /// Gives up what waits for an endpoint that is told of these alone.
    pub async fn give_up_others(
        conn: &mut Conn,
        endpoint: Uuid,
        told: &[EventType],
        now: DateTime<Utc>,
    ) -> QueryResult<usize> {
        let rows = d::table
            .filter(d::endpoint_id.eq(endpoint).and(d::state.eq(DeliveryState::Pending)))
            .filter(d::event_type.ne_all(told));
        diesel::update(rows)
            .set((d::state.eq(DeliveryState::Failed), d::updated_at.eq(now)))
            .execute(conn)
            .await
    }

    /// They are to be sent again, now and with all tries.
    pub async fn set_due(conn: &mut Conn, endpoint: Uuid, events: &[Uuid], now: DateTime<Utc>) -> QueryResult<usize> {
        let rows = d::table.filter(d::endpoint_id.eq(endpoint).and(d::event_id.eq_any(events)));
        let set = (
            d::state.eq(DeliveryState::Pending),
            d::attempts.eq(0),
            d::next_attempt_at.eq(now),
            d::delivered_at.eq(None::<DateTime<Utc>>),
            d::updated_at.eq(now),
        );
        diesel::update(rows).set(set).execute(conn).await
    }

    /// What is due for an endpoint, in the order in which it became due, at most `limit`.
    pub async fn due(conn: &mut Conn, endpoint: Uuid, now: DateTime<Utc>, limit: i64) -> QueryResult<Vec<DueDelivery>> {
        type Row = (Uuid, EventType, i32, String, String, Value, DateTime<Utc>);
        let rows = d::table
            .inner_join(e::table.on(e::id.eq(d::event_id)))
            .filter(d::endpoint_id.eq(endpoint).and(d::state.eq(DeliveryState::Pending)))
            .filter(d::next_attempt_at.le(now))
            .order((d::next_attempt_at, d::event_id))
            .limit(limit)
            .select((
                d::event_id,
                d::event_type,
                d::attempts,
                e::subject_kind,
                e::subject_id,
                e::data,
                e::created_at,
            ))
            .load::<Row>(conn)
            .await?;
        let due = rows.into_iter().map(
            |(event_id, event_type, attempts, subject_kind, subject_id, data, happened_at)| DueDelivery {
                event_id,
                event_type,
                attempts,
                subject_kind,
                subject_id,
                data,
                happened_at,
            },
        );
        Ok(due.collect())
    }

    /// Forgets, with their sends, messages that ended before `before`, and all those of endpoints deleted before it; at
    /// most `limit`.
    pub async fn prune(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> QueryResult<usize> {
        diesel::sql_query(
            "DELETE FROM webhook_deliveries WHERE (endpoint_id, event_id) IN ( \
             (SELECT endpoint_id, event_id FROM webhook_deliveries WHERE state <> 'pending' AND updated_at < $1 \
             ORDER BY updated_at LIMIT $2) \
             UNION ALL \
             (SELECT d.endpoint_id, d.event_id FROM webhook_endpoints w JOIN webhook_deliveries d \
             ON d.endpoint_id = w.id WHERE w.deleted_at < $1 AND d.state = 'pending' LIMIT $2))",
        )
        .bind::<Timestamptz, _>(before)
        .bind::<BigInt, _>(limit)
        .execute(conn)
        .await
    }
}

impl WebhookAttempt {
    /// The sends of these messages, oldest first.
    pub async fn of(conn: &mut Conn, endpoint: Uuid, events: &[Uuid]) -> QueryResult<Vec<Self>> {
        a::table
            .filter(a::endpoint_id.eq(endpoint).and(a::event_id.eq_any(events)))
            .order(a::id)
            .limit(10_000)
            .select(Self::as_select())
            .load(conn)
            .await
    }
}

#[derive(diesel::QueryableByName)]
struct Recorded {
    #[diesel(sql_type = Bool)]
    moved: bool,
}

impl Attempt {
    /// Writes a send down and moves its message, if nobody moved it meanwhile. One statement, which commits without
    /// waiting for the disk: what is lost with PostgreSQL's machine is sent once more, under the same id. Answers whether
    /// the message moved.
    pub async fn record(&self, conn: &mut Conn) -> QueryResult<bool> {
        let (state, next, delivered) = match self.outcome {
            AttemptOutcome::Delivered => (DeliveryState::Delivered, None, Some(self.at)),
            AttemptOutcome::RetryAt(at) => (DeliveryState::Pending, Some(at), None),
            AttemptOutcome::Failed => (DeliveryState::Failed, None, None),
        };
        let recorded: Recorded = diesel::sql_query(
            "WITH moved AS (UPDATE webhook_deliveries SET state = $4, attempts = attempts + 1, \
             next_attempt_at = coalesce($5, next_attempt_at), delivered_at = $6, updated_at = $7 \
             WHERE endpoint_id = $1 AND event_id = $2 AND state = 'pending' AND attempts = $3 RETURNING 1), \
             kept AS (INSERT INTO webhook_attempts (endpoint_id, event_id, at, status, answer, error, duration_ms) \
             VALUES ($1, $2, $7, $8, $9, $10, $11)) \
             SELECT EXISTS (SELECT 1 FROM moved) AND set_config('synchronous_commit', 'off', true) = 'off' AS moved",
        )
        .bind::<SqlUuid, _>(self.endpoint_id)
        .bind::<SqlUuid, _>(self.event_id)
        .bind::<Integer, _>(self.earlier)
        .bind::<Text, _>(state)
        .bind::<Nullable<Timestamptz>, _>(next)
        .bind::<Nullable<Timestamptz>, _>(delivered)
        .bind::<Timestamptz, _>(self.at)
        .bind::<Nullable<Integer>, _>(self.status)
        .bind::<Nullable<Text>, _>(self.answer.as_deref())
        .bind::<Nullable<Text>, _>(self.error.as_deref())
        .bind::<Integer, _>(self.duration_ms)
        .get_result(conn)
        .await?;
        Ok(recorded.moved)
    }
}
