//! Differences and conditions that wait for an operator.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::TxState;
use super::list::{Span, narrow};
use crate::Conn;
use crate::schema::{chain_transactions as t, findings};
use crate::text_enum;

text_enum! {
    /// How much it matters.
    Severity { Info = "info", Warning = "warning", Critical = "critical" }
}

impl Severity {
    /// Its place in lists: the worst comes first.
    const fn rank(self) -> i32 {
        match self {
            Self::Critical => 0,
            Self::Warning => 1,
            Self::Info => 2,
        }
    }
}

/// [`Severity::rank`] of a row.
const RANK: &str = "CASE severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END";

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = findings, check_for_backend(diesel::pg::Pg))]
pub struct Finding {
    pub id: Uuid,
    pub kind: String,
    pub severity: Severity,
    pub subject: String,
    pub detail: serde_json::Value,
    pub metric: String,
    pub action: String,
    /// The same in Chinese; an older release did not tell it.
    pub action_zh: Option<String>,
    pub times_seen: i32,
    pub first_seen_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub resolved_by: Option<String>,
    pub resolved_reason: Option<String>,
}

/// What a list of findings is narrowed to.
#[derive(Debug, Clone, Copy, Default)]
pub struct FindingFilter<'a> {
    /// Open ones, or resolved ones.
    pub open: Option<bool>,
    pub kind: Option<&'a str>,
    pub severity: Option<Severity>,
    pub subject: Option<&'a str>,
    /// When it was first seen; without the end.
    pub first_seen: Span<DateTime<Utc>>,
    /// Of those that matter alike.
    pub oldest_first: bool,
}

#[derive(Debug, Clone)]
pub struct NewFinding<'a> {
    pub id: Uuid,
    pub kind: &'a str,
    pub severity: Severity,
    pub subject: &'a str,
    pub detail: serde_json::Value,
    /// The metric that shows it, with its labels.
    pub metric: &'a str,
    pub action: &'a str,
    pub action_zh: &'a str,
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
            "INSERT INTO findings \
                (id, kind, severity, subject, detail, metric, action, action_zh, first_seen_at, last_seen_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) \
             ON CONFLICT (kind, subject) WHERE resolved_at IS NULL \
             DO UPDATE SET times_seen = findings.times_seen + 1, last_seen_at = EXCLUDED.last_seen_at, \
                detail = EXCLUDED.detail, severity = EXCLUDED.severity, \
                action = EXCLUDED.action, action_zh = EXCLUDED.action_zh \
             RETURNING times_seen",
        )
        .bind::<SqlUuid, _>(self.id)
        .bind::<Text, _>(self.kind)
        .bind::<Text, _>(self.severity.word())
        .bind::<Text, _>(self.subject)
        .bind::<Jsonb, _>(&self.detail)
        .bind::<Text, _>(self.metric)
        .bind::<Text, _>(self.action)
        .bind::<Text, _>(self.action_zh)
        .bind::<Timestamptz, _>(now)
        .get_result::<Seen>(conn)
        .await?;
        Ok(seen.times_seen == 1)
    }
}

impl Finding {
    /// Whether a finding of this kind, an open one or any, is about a transaction of this intent that is held for dead.
    pub async fn any_about_dead_of(conn: &mut Conn, kind: &str, intent: Uuid, only_open: bool) -> QueryResult<bool> {
        let dead = t::table
            .filter(t::intent_id.eq(intent).and(t::state.eq(TxState::Dead)))
            .select(t::txid);
        let dead: Vec<String> = dead.load(conn).await?;
        let subjects: Vec<String> = dead.iter().map(|txid| format!("transaction:{txid}")).collect();
        let rows = findings::table.filter(findings::kind.eq(kind).and(findings::subject.eq_any(subjects)));
        let mut rows = rows.count().into_boxed();
        if only_open {
            rows = rows.filter(findings::resolved_at.is_null());
        }
        Ok(rows.get_result::<i64>(conn).await? > 0)
    }

    /// Whether there is one of this kind and subject that no operator resolved, whatever else became of it.
    pub async fn stands(conn: &mut Conn, kind: &str, subject: &str) -> QueryResult<bool> {
        let rows = findings::table.filter(findings::kind.eq(kind).and(findings::subject.eq(subject)));
        // only who resolves by hand says why
        let rows = rows.filter(findings::resolved_reason.is_null());
        diesel::select(diesel::dsl::exists(rows)).get_result(conn).await
    }

    /// Findings, the worst first and of these the newest or the oldest, after a place in that order.
    pub async fn page(
        conn: &mut Conn,
        filter: FindingFilter<'_>,
        after: Option<(Severity, Uuid)>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let rank = || diesel::dsl::sql::<Integer>(RANK);
        let mut query = findings::table.select(Self::as_select()).limit(limit).into_boxed();
        narrow!(query,
            filter.open => findings::resolved_at.is_null(), eq;
            filter.kind => findings::kind, eq;
            filter.severity => findings::severity, eq;
            filter.subject => findings::subject, eq;
            filter.first_seen.from => findings::first_seen_at, ge;
            filter.first_seen.to => findings::first_seen_at, lt;
        );
        if filter.oldest_first {
            query = query.order((rank(), findings::id.asc()));
            if let Some((severity, id)) = after {
                let same = rank().eq(severity.rank()).and(findings::id.gt(id));
                query = query.filter(rank().gt(severity.rank()).or(same));
            }
        } else {
            query = query.order((rank(), findings::id.desc()));
            if let Some((severity, id)) = after {
                let same = rank().eq(severity.rank()).and(findings::id.lt(id));
                query = query.filter(rank().gt(severity.rank()).or(same));
            }
        }
        query.load(conn).await
    }

    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        findings::table
            .find(id)
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// Guarded: closes an open finding by hand.
    pub async fn resolve_by_hand(
        conn: &mut Conn,
        id: Uuid,
        (by, reason): (&str, &str),
        now: DateTime<Utc>,
    ) -> QueryResult<Option<Self>> {
        let open = findings::table.filter(findings::id.eq(id).and(findings::resolved_at.is_null()));
        let set = (
            findings::resolved_at.eq(now),
            findings::resolved_by.eq(by),
            findings::resolved_reason.eq(reason),
        );
        diesel::update(open)
            .set(set)
            .returning(Self::as_returning())
            .get_result(conn)
            .await
            .optional()
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

    /// Closes what is open of this kind about these subjects; answers how many.
    pub async fn resolve_many(
        conn: &mut Conn,
        kind: &str,
        subjects: &[String],
        by: &str,
        now: DateTime<Utc>,
    ) -> QueryResult<usize> {
        let open = findings::table
            .filter(findings::kind.eq(kind).and(findings::resolved_at.is_null()))
            .filter(findings::subject.eq_any(subjects));
        let set = (findings::resolved_at.eq(now), findings::resolved_by.eq(by));
        diesel::update(open).set(set).execute(conn).await
    }

    /// Subjects of what is open of these kinds that begin with `prefix`, which holds no `%` and no `_`.
    pub async fn open_subjects(conn: &mut Conn, kinds: &[&str], prefix: &str) -> QueryResult<Vec<String>> {
        findings::table
            .filter(findings::kind.eq_any(kinds).and(findings::resolved_at.is_null()))
            .filter(findings::subject.like(format!("{prefix}%")))
            .select(findings::subject)
            .load(conn)
            .await
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
