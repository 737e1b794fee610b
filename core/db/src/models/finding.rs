//! Differences and conditions that wait for an operator.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Conn;
use crate::schema::findings;
use crate::text_enum;

text_enum! {
    /// How much it matters.
    Severity { Info = "info", Warning = "warning", Critical = "critical" }
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = findings, check_for_backend(diesel::pg::Pg))]
pub struct Finding {
    pub id: Uuid,
    pub kind: String,
    pub severity: Severity,
    pub subject: String,
    pub detail: serde_json::Value,
    pub action: String,
    pub times_seen: i32,
    pub first_seen_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub resolved_by: Option<String>,
}

#[derive(Debug, Clone)]
pub struct NewFinding<'a> {
    pub id: Uuid,
    pub kind: &'a str,
    pub severity: Severity,
    pub subject: &'a str,
    pub detail: serde_json::Value,
    pub action: &'a str,
}

#[derive(QueryableByName)]
struct Seen {
    #[diesel(sql_type = Integer)]
    times_seen: i32,
}

impl NewFinding<'_> {
    /// Opens the finding, or counts it once more where it is open. Answers whether it is new.
    pub async fn record(&self, conn: &mut Conn, now: DateTime<Utc>) -> QueryResult<bool> {
        let seen = diesel::sql_query(
            "INSERT INTO findings (id, kind, severity, subject, detail, action, first_seen_at, last_seen_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7) \
             ON CONFLICT (kind, subject) WHERE resolved_at IS NULL \
             DO UPDATE SET times_seen = findings.times_seen + 1, last_seen_at = EXCLUDED.last_seen_at, \
                detail = EXCLUDED.detail, severity = EXCLUDED.severity \
             RETURNING times_seen",
        )
        .bind::<SqlUuid, _>(self.id)
        .bind::<Text, _>(self.kind)
        .bind::<Text, _>(self.severity.word())
        .bind::<Text, _>(self.subject)
        .bind::<Jsonb, _>(&self.detail)
        .bind::<Text, _>(self.action)
        .bind::<Timestamptz, _>(now)
        .get_result::<Seen>(conn)
        .await?;
        Ok(seen.times_seen == 1)
    }
}

impl Finding {
    /// Open findings, worst and newest first.
    pub async fn open(conn: &mut Conn, limit: i64) -> QueryResult<Vec<Self>> {
        findings::table
            .filter(findings::resolved_at.is_null())
            .order((findings::severity, findings::last_seen_at.desc()))
            .limit(limit)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Closes what is open of this kind and subject; answers whether something was.
    pub async fn resolve(
        conn: &mut Conn,
        kind: &str,
        subject: &str,
        by: &str,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let open = findings::table.filter(
            findings::kind
                .eq(kind)
                .and(findings::subject.eq(subject))
                .and(findings::resolved_at.is_null()),
        );
        let set = (findings::resolved_at.eq(now), findings::resolved_by.eq(by));
        Ok(diesel::update(open).set(set).execute(conn).await? > 0)
    }

    /// Closes what is open of this kind about anything but `subjects`; answers how many.
    pub async fn resolve_others(
        conn: &mut Conn,
        kind: &str,
        subjects: &[String],
        by: &str,
        now: DateTime<Utc>,
    ) -> QueryResult<usize> {
        let open = findings::table
            .filter(findings::kind.eq(kind).and(findings::resolved_at.is_null()))
            .filter(findings::subject.ne_all(subjects));
        let set = (findings::resolved_at.eq(now), findings::resolved_by.eq(by));
        diesel::update(open).set(set).execute(conn).await
    }

    /// Open findings per kind and severity, for metrics.
    pub async fn count_open(conn: &mut Conn) -> QueryResult<Vec<(String, Severity, i64)>> {
        findings::table
            .filter(findings::resolved_at.is_null())
            .group_by((findings::kind, findings::severity))
            .select((findings::kind, findings::severity, diesel::dsl::count_star()))
            .load(conn)
            .await
    }
}
