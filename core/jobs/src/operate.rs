//! What operators see and do: jobs by where they stand, trying them again, and dropping dead ones.
//!
//! Who did it and why is not kept here: callers write that down in the same transaction.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use db::models::Span;
use db::{Conn, DbError};
use diesel::pg::Pg;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use kernel::is_rfc3339;

use crate::JobKind;

db::text_enum! {
    /// Where a job stands.
    Standing {
        /// It waits for an operator.
        Dead = "dead",
        /// Its time has come, and nobody has begun it.
        Due = "due",
        /// Its time is to come: a retry, or asked for so.
        Later = "later",
        /// Begun and not ended.
        Running = "running",
    }
}

/// Which jobs: those that fit everything that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Where they stand.
    pub standing: Option<Standing>,
    /// Only those that wait, or run, longer than they should.
    pub overdue: bool,
    /// Of this kind; a text, since a row may be of a kind that this build does not know.
    pub kind: Option<String>,
    /// In this queue.
    pub queue: Option<String>,
    /// About this object.
    pub object_id: Option<String>,
    /// That failed last with this code.
    pub code: Option<String>,
    /// Since when they stand as they do; without the end.
    pub since: Span<DateTime<Utc>>,
    /// Lists alone: those first that have stood shortest.
    pub newest_first: bool,
}

/// A place in a list that is sorted by age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Since when the row at this place stands as it does.
    pub since: DateTime<Utc>,
    /// Its kind.
    pub kind: String,
    /// Its object.
    pub object_id: String,
}

/// A text that is no place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no place in this list")]
pub struct NoPlace;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.since.timestamp_micros(), self.kind, self.object_id)
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let mut parts = text.splitn(3, ',');
        let mut next = || parts.next().ok_or(NoPlace);
        let micros = next()?.parse().map_err(|_| NoPlace)?;
        let since = DateTime::from_timestamp_micros(micros);
        Ok(Self {
            since: since.filter(|since| is_rfc3339(*since)).ok_or(NoPlace)?,
            kind: next()?.to_owned(),
            object_id: next()?.to_owned(),
        })
    }
}

/// A job as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct JobRow {
    /// The kind's word.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// What it is about.
    #[diesel(sql_type = Text)]
    pub object_id: String,
    /// The queue.
    #[diesel(sql_type = Text)]
    pub queue: String,
    /// Where it stands.
    #[diesel(sql_type = Text)]
    pub standing: Standing,
    /// Whether it waits, or runs, longer than it should.
    #[diesel(sql_type = Bool)]
    pub overdue: bool,
    /// Since when: its death, the beginning of its run, or the time it was or will be due.
    #[diesel(sql_type = Timestamptz)]
    pub since: DateTime<Utc>,
    /// How often it was tried since it last went well.
    #[diesel(sql_type = Integer)]
    pub runs: i32,
    /// When it is or was to be run.
    #[diesel(sql_type = Timestamptz)]
    pub next_run_at: DateTime<Utc>,
    /// Why it failed last, or what it waits for.
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error_code: Option<String>,
    /// Why it failed last, in words.
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
    /// When it was first asked for.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

impl JobRow {
    /// Its place in the list.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            since: self.since,
            kind: self.kind.clone(),
            object_id: self.object_id.clone(),
        }
    }
}

const COLUMNS: &str = "j.kind, j.object_id, j.queue, s.standing, s.overdue, s.since, j.runs, j.next_run_at, \
    j.last_error_code, j.last_error, j.created_at";

/// A due job should have begun within a minute, and a run should end within its lease. A kind that this build does not
/// know gets the longest time that any run may take.
const MATCHING: &str = "
    FROM jobs j
    LEFT JOIN unnest($1, $2) AS p (kind, lease) ON p.kind = j.kind
    CROSS JOIN LATERAL (SELECT
        CASE WHEN j.state = 'dead' THEN 'dead' WHEN j.started_at IS NOT NULL THEN 'running'
            WHEN j.next_run_at <= $3 THEN 'due' ELSE 'later' END AS standing,
        coalesce(j.dead_at, j.started_at, j.next_run_at) AS since,
        j.state = 'due' AND CASE WHEN j.started_at IS NULL THEN j.next_run_at < $3 - interval '1 minute'
            ELSE j.started_at < $3 - make_interval(secs => coalesce(p.lease, 120)) END AS overdue
    ) s
    WHERE ($4 IS NULL OR s.standing = $4) AND (NOT $5 OR s.overdue) AND ($6 IS NULL OR j.kind = $6)
        AND ($7 IS NULL OR j.queue = $7) AND ($8 IS NULL OR j.object_id = $8)
        AND ($9 IS NULL OR j.last_error_code = $9)
        AND ($10 IS NULL OR s.since >= $10) AND ($11 IS NULL OR s.since < $11)";

type Query<'a> = BoxedSqlQuery<'a, Pg, SqlQuery>;

/// A statement that ends in or contains [`MATCHING`]; its own parameters begin at `$12`.
fn statement(sql: String, filter: &JobFilter, now: DateTime<Utc>) -> Query<'_> {
    let kinds: Vec<&str> = JobKind::ALL.iter().map(|kind| kind.word()).collect();
    let lease = |kind: &JobKind| kind.policy().lease().as_seconds_f64();
    let leases: Vec<f64> = JobKind::ALL.iter().map(lease).collect();
    sql_query(sql)
        .into_boxed::<Pg>()
        .bind::<Array<Text>, _>(kinds)
        .bind::<Array<Double>, _>(leases)
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Text>, _>(filter.standing.map(Standing::word))
        .bind::<Bool, _>(filter.overdue)
        .bind::<Nullable<Text>, _>(filter.kind.as_deref())
        .bind::<Nullable<Text>, _>(filter.queue.as_deref())
        .bind::<Nullable<Text>, _>(filter.object_id.as_deref())
        .bind::<Nullable<Text>, _>(filter.code.as_deref())
        .bind::<Nullable<Timestamptz>, _>(filter.since.from)
        .bind::<Nullable<Timestamptz>, _>(filter.since.to)
}

/// Jobs that fit, those first that have stood longest (or shortest, where the filter says so), after a place in that order.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn list(
    conn: &mut Conn,
    filter: &JobFilter,
    after: Option<&Place>,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<JobRow>, DbError> {
    let (behind, way) = if filter.newest_first {
        ("<", "DESC")
    } else {
        (">", "ASC")
    };
    let sql = format!(
        "SELECT {COLUMNS} {MATCHING} AND ($12 IS NULL OR (s.since, j.kind, j.object_id) {behind} ($12, $13, $14))
         ORDER BY s.since {way}, j.kind {way}, j.object_id {way} LIMIT $15"
    );
    let query = statement(sql, filter, now)
        .bind::<Nullable<Timestamptz>, _>(after.map(|place| place.since))
        .bind::<Nullable<Text>, _>(after.map(|place| place.kind.as_str()))
        .bind::<Nullable<Text>, _>(after.map(|place| place.object_id.as_str()))
        .bind::<BigInt, _>(limit);
    Ok(query.load(conn).await?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How many jobs fit.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn count(conn: &mut Conn, filter: &JobFilter, now: DateTime<Utc>) -> Result<i64, DbError> {
    let sql = format!("SELECT count(*) AS n {MATCHING}");
    Ok(statement(sql, filter, now).get_result::<Count>(conn).await?.n)
}

/// Gives dead jobs a fresh set of runs, and makes jobs that are for later due now; the dispatcher brings them. Due and
/// running jobs are left alone: they are on their way. Takes those first that have stood longest, at most `limit`, and
/// answers them as they were.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn redrive_in_tx(
    conn: &mut Conn,
    filter: &JobFilter,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<JobRow>, DbError> {
    let sql = format!(
        "UPDATE jobs SET state = 'due', runs = 0, next_run_at = $3, pushed_at = NULL, dead_at = NULL
         FROM (SELECT {COLUMNS} {MATCHING} AND s.standing IN ('dead', 'later')
            ORDER BY s.since, j.kind, j.object_id LIMIT $12 FOR UPDATE OF j) taken
         WHERE jobs.kind = taken.kind AND jobs.object_id = taken.object_id RETURNING taken.*"
    );
    Ok(statement(sql, filter, now).bind::<BigInt, _>(limit).load(conn).await?)
}

/// Removes dead jobs for good; others are left alone. Takes those first that died first, at most `limit`, and answers
/// them as they were.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn drop_in_tx(
    conn: &mut Conn,
    filter: &JobFilter,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<JobRow>, DbError> {
    let sql = format!(
        "DELETE FROM jobs
         USING (SELECT {COLUMNS} {MATCHING} AND s.standing = 'dead'
            ORDER BY s.since, j.kind, j.object_id LIMIT $12 FOR UPDATE OF j) taken
         WHERE jobs.kind = taken.kind AND jobs.object_id = taken.object_id RETURNING taken.*"
    );
    Ok(statement(sql, filter, now).bind::<BigInt, _>(limit).load(conn).await?)
}
