//! Who is told of events.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::EventType;
use crate::Conn;
use crate::schema::webhook_endpoints as w;

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable)]
#[diesel(table_name = w, check_for_backend(diesel::pg::Pg))]
pub struct WebhookEndpoint {
    pub id: Uuid,
    pub url: String,
    pub description: Option<String>,
    /// Empty: all.
    pub event_types: Vec<EventType>,
    pub enabled: bool,
    pub disabled_reason: Option<String>,
    pub created_by: String,
    pub failing_since: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = w)]
pub struct NewWebhookEndpoint<'a> {
    pub id: Uuid,
    pub url: &'a str,
    pub description: Option<&'a str>,
    pub event_types: Vec<EventType>,
    pub enabled: bool,
    pub created_by: &'a str,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What is changed; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = w)]
pub struct EndpointChange {
    pub url: Option<String>,
    pub description: Option<Option<String>>,
    pub event_types: Option<Vec<EventType>>,
    pub enabled: Option<bool>,
    pub disabled_reason: Option<Option<String>>,
}

impl NewWebhookEndpoint<'_> {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<WebhookEndpoint> {
        diesel::insert_into(w::table)
            .values(self)
            .returning(WebhookEndpoint::as_returning())
            .get_result(conn)
            .await
    }
}

#[derive(diesel::QueryableByName)]
struct Due {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// How many endpoints there are, and what waits for them.
#[derive(Debug, Clone, Copy, diesel::QueryableByName)]
pub struct EndpointFigures {
    #[diesel(sql_type = BigInt)]
    pub enabled: i64,
    #[diesel(sql_type = BigInt)]
    pub disabled: i64,
    #[diesel(sql_type = BigInt)]
    pub failing: i64,
    #[diesel(sql_type = BigInt)]
    pub pending: i64,
    #[diesel(sql_type = diesel::sql_types::Double)]
    pub oldest_due_seconds: f64,
}

impl WebhookEndpoint {
    /// One that is not deleted.
    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        w::table
            .filter(w::id.eq(id).and(w::deleted_at.is_null()))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        w::table
            .filter(w::id.eq(id).and(w::deleted_at.is_null()))
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// A page, oldest first, after the endpoint `after`.
    pub async fn page(conn: &mut Conn, after: Option<Uuid>, limit: i64) -> QueryResult<Vec<Self>> {
        w::table
            .filter(w::deleted_at.is_null().and(w::id.gt(after.unwrap_or_else(Uuid::nil))))
            .order(w::id)
            .limit(limit)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// How many there are that are not deleted.
    pub async fn count(conn: &mut Conn) -> QueryResult<i64> {
        w::table.filter(w::deleted_at.is_null()).count().get_result(conn).await
    }

    pub async fn change(conn: &mut Conn, id: Uuid, change: &EndpointChange, now: DateTime<Utc>) -> QueryResult<Self> {
        diesel::update(w::table.find(id))
            .set((change, w::updated_at.eq(now)))
            .returning(Self::as_returning())
            .get_result(conn)
            .await
    }

    /// Whoever changed it last answers for it.
    pub async fn set_keeper(conn: &mut Conn, id: Uuid, keeper: &str) -> QueryResult<()> {
        diesel::update(w::table.find(id))
            .set(w::created_by.eq(keeper))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Guarded: enabled to disabled. Answers whether this call did it.
    pub async fn disable(conn: &mut Conn, id: Uuid, reason: &str, now: DateTime<Utc>) -> QueryResult<bool> {
        let enabled = w::table.filter(w::id.eq(id).and(w::enabled));
        let set = (
            w::enabled.eq(false),
            w::disabled_reason.eq(reason),
            w::updated_at.eq(now),
        );
        Ok(diesel::update(enabled).set(set).execute(conn).await? == 1)
    }

    /// Disables all that somebody registered, or changed last; answers which this call did.
    pub async fn disable_of(
        conn: &mut Conn,
        created_by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<Uuid>> {
        let enabled = w::table.filter(w::created_by.eq(created_by).and(w::enabled));
        let set = (
            w::enabled.eq(false),
            w::disabled_reason.eq(reason),
            w::updated_at.eq(now),
        );
        diesel::update(enabled)
            .set(set)
            .returning(w::id)
            .get_results(conn)
            .await
    }

    pub async fn delete(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
        let there = w::table.filter(w::id.eq(id).and(w::deleted_at.is_null()));
        let set = (
            w::enabled.eq(false),
            w::disabled_reason.eq("deleted"),
            w::deleted_at.eq(now),
            w::updated_at.eq(now),
        );
        Ok(diesel::update(there).set(set).execute(conn).await? == 1)
    }

    /// A message arrived: it fails no longer. Answers whether it did before.
    pub async fn set_well(conn: &mut Conn, id: Uuid) -> QueryResult<bool> {
        let failing = w::table.filter(w::id.eq(id).and(w::failing_since.is_not_null()));
        let set = w::failing_since.eq(None::<DateTime<Utc>>);
        Ok(diesel::update(failing).set(set).execute(conn).await? == 1)
    }

    /// A message did not arrive: it fails since then, if it does not since before.
    pub async fn set_failing(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
        let well = w::table.filter(w::id.eq(id).and(w::failing_since.is_null()));
        Ok(diesel::update(well).set(w::failing_since.eq(now)).execute(conn).await? == 1)
    }

    /// Enabled endpoints with something due and no job of `kind`, at most `limit`.
    pub async fn due(conn: &mut Conn, kind: &str, now: DateTime<Utc>, limit: i64) -> QueryResult<Vec<Uuid>> {
        let due: Vec<Due> = diesel::sql_query(
            "SELECT w.id FROM webhook_endpoints w WHERE w.enabled \
             AND EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.endpoint_id = w.id AND d.state = 'pending' \
             AND d.next_attempt_at <= $2) \
             AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.object_id = w.id::text) \
             ORDER BY w.id LIMIT $3",
        )
        .bind::<Text, _>(kind)
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await?;
        Ok(due.into_iter().map(|row| row.id).collect())
    }

    /// For metrics. Messages are counted up to 100,000.
    pub async fn figures(conn: &mut Conn, now: DateTime<Utc>) -> QueryResult<EndpointFigures> {
        diesel::sql_query(
            "SELECT count(*) FILTER (WHERE w.enabled) AS enabled, count(*) FILTER (WHERE NOT w.enabled) AS disabled, \
             count(*) FILTER (WHERE w.enabled AND w.failing_since IS NOT NULL) AS failing, \
             (SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries WHERE state = 'pending' LIMIT 100000) AS p) \
             AS pending, \
             coalesce(max(extract(epoch FROM $1 - (SELECT min(d.next_attempt_at) FROM webhook_deliveries d \
             WHERE w.enabled AND d.endpoint_id = w.id AND d.state = 'pending'))), 0)::double precision \
             AS oldest_due_seconds \
             FROM webhook_endpoints w WHERE w.deleted_at IS NULL",
        )
        .bind::<Timestamptz, _>(now)
        .get_result(conn)
        .await
    }
}
