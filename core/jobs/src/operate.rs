//! What operators see and do: dead jobs, trying them again, dropping them, and how full each queue is.

use chrono::{DateTime, Utc};
use db::schema::jobs;
use db::{Conn, DbError};
use diesel::sql_types::{BigInt, Double, Text, Timestamptz};
use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl, Queryable,
    QueryableByName, Selectable, SelectableHelper, sql_query,
};
use diesel_async::RunQueryDsl;

use crate::JobKind;

/// Which dead jobs to list.
#[derive(Debug, Clone, Default)]
pub struct DeadFilter {
    /// Only of this kind.
    pub kind: Option<JobKind>,
    /// Only what comes after this place in the list.
    pub after: Option<DeadCursor>,
    /// At most so many; bounded by 200.
    pub limit: u16,
}

/// A place in the list of dead jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadCursor {
    /// When the job at this place died.
    pub dead_at: DateTime<Utc>,
    /// Its kind.
    pub kind: String,
    /// Its object.
    pub object_id: String,
}

/// A job that waits for an operator.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct DeadJob {
    /// The kind's word; a text, since a row may be of a kind that this build does not know.
    pub kind: String,
    /// What it was about.
    pub object_id: String,
    /// The queue.
    pub queue: String,
    /// How often it was tried.
    pub runs: i32,
    /// Why it failed last.
    pub last_error_code: Option<String>,
    /// The same in words.
    pub last_error: Option<String>,
    /// When it was first asked for.
    pub created_at: DateTime<Utc>,
    /// When it died.
    #[diesel(select_expression = jobs::dead_at.assume_not_null())]
    #[diesel(select_expression_type = diesel::dsl::AssumeNotNull<jobs::dead_at>)]
    pub dead_at: DateTime<Utc>,
}

impl DeadJob {
    /// Its place in the list.
    #[must_use]
    pub fn cursor(&self) -> DeadCursor {
        DeadCursor {
            dead_at: self.dead_at,
            kind: self.kind.clone(),
            object_id: self.object_id.clone(),
        }
    }
}

/// Dead jobs, the latest first.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn list_dead(conn: &mut Conn, filter: &DeadFilter) -> Result<Vec<DeadJob>, DbError> {
    let dead_at = jobs::dead_at.assume_not_null();
    let mut query = jobs::table
        .filter(jobs::state.eq("dead"))
        .select(DeadJob::as_select())
        .order((dead_at.desc(), jobs::kind.desc(), jobs::object_id.desc()))
        .limit(i64::from(filter.limit.clamp(1, 200)))
        .into_boxed();
    if let Some(kind) = filter.kind {
        query = query.filter(jobs::kind.eq(kind));
    }
    if let Some(after) = &filter.after {
        let same_kind = jobs::kind.eq(&after.kind).and(jobs::object_id.lt(&after.object_id));
        let same_time = dead_at.eq(after.dead_at).and(jobs::kind.lt(&after.kind).or(same_kind));
        query = query.filter(dead_at.lt(after.dead_at).or(same_time));
    }
    Ok(query.load(conn).await?)
}

/// Gives one dead job a fresh set of runs; the dispatcher brings it. `false` if there is no such dead job.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn redrive(conn: &mut Conn, kind: JobKind, object_id: &str, now: DateTime<Utc>) -> Result<bool, DbError> {
    let dead = jobs::table.filter(jobs::kind.eq(kind).and(jobs::object_id.eq(object_id)));
    let dead = dead.filter(jobs::state.eq("dead"));
    Ok(diesel::update(dead).set(revived(now)).execute(conn).await? > 0)
}

/// Gives every dead job of a kind a fresh set of runs; answers how many there were.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn redrive_all(conn: &mut Conn, kind: JobKind, now: DateTime<Utc>) -> Result<usize, DbError> {
    let dead = jobs::table.filter(jobs::kind.eq(kind)).filter(jobs::state.eq("dead"));
    Ok(diesel::update(dead).set(revived(now)).execute(conn).await?)
}

/// A row as if it had just been asked for.
#[derive(AsChangeset)]
#[diesel(table_name = jobs, treat_none_as_null = true)]
struct Revived {
    state: &'static str,
    runs: i32,
    next_run_at: DateTime<Utc>,
    pushed_at: Option<DateTime<Utc>>,
    dead_at: Option<DateTime<Utc>>,
}

const fn revived(now: DateTime<Utc>) -> Revived {
    Revived {
        state: "due",
        runs: 0,
        next_run_at: now,
        pushed_at: None,
        dead_at: None,
    }
}

/// Who drops which dead job, and why.
#[derive(Debug, Clone, Copy)]
pub struct DropRequest<'a> {
    /// The kind.
    pub kind: JobKind,
    /// The object.
    pub object_id: &'a str,
    /// The operator.
    pub by: &'a str,
    /// The operator's reason.
    pub reason: &'a str,
}

/// Removes a dead job for good. The log keeps who did it and why. `false` if there is no such dead job.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn drop_with_reason(conn: &mut Conn, request: DropRequest<'_>) -> Result<bool, DbError> {
    let DropRequest {
        kind,
        object_id,
        by,
        reason,
    } = request;
    let dropped = diesel::delete(
        jobs::table
            .filter(jobs::kind.eq(kind).and(jobs::object_id.eq(object_id)))
            .filter(jobs::state.eq("dead")),
    )
    .execute(conn)
    .await?;
    if dropped > 0 {
        tracing::warn!(
            kind = kind.word(),
            object_id,
            by,
            reason,
            "a dead job was dropped by an operator"
        );
    }
    Ok(dropped > 0)
}

/// How many jobs of one kind stand where.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct QueueFigures {
    /// The queue.
    #[diesel(sql_type = Text)]
    pub queue: String,
    /// The kind.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// Due and not begun.
    #[diesel(sql_type = BigInt)]
    pub due: i64,
    /// For how long the oldest of these has been due.
    #[diesel(sql_type = Double)]
    pub oldest_due_seconds: f64,
    /// Begun and not ended.
    #[diesel(sql_type = BigInt)]
    pub running: i64,
    /// For later: a retry, or asked for so.
    #[diesel(sql_type = BigInt)]
    pub later: i64,
    /// Waiting for an operator.
    #[diesel(sql_type = BigInt)]
    pub dead: i64,
}

const FIGURES: &str = "
    SELECT queue, kind,
        count(*) FILTER (WHERE due) AS due,
        coalesce(extract(epoch FROM $1 - min(next_run_at) FILTER (WHERE due)), 0)::float8 AS oldest_due_seconds,
        count(*) FILTER (WHERE state = 'due' AND started_at IS NOT NULL) AS running,
        count(*) FILTER (WHERE state = 'due' AND started_at IS NULL AND next_run_at > $1) AS later,
        count(*) FILTER (WHERE state = 'dead') AS dead
    FROM (SELECT *, state = 'due' AND started_at IS NULL AND next_run_at <= $1 AS due FROM jobs) j
    GROUP BY queue, kind ORDER BY queue, kind";

/// The figures of every kind that has a row.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn queue_figures(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<QueueFigures>, DbError> {
    Ok(sql_query(FIGURES).bind::<Timestamptz, _>(now).load(conn).await?)
}
