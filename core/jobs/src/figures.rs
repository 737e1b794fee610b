//! How full each queue is, kind by kind.

use chrono::{DateTime, Utc};
use db::{Conn, DbError};
use diesel::sql_types::{Array, BigInt, Double, Text, Timestamptz};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use crate::JobKind;

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

/// The kinds of this build are there even without a row, so that whoever watches sees them go back to zero.
const FIGURES: &str = "
    SELECT coalesce(j.queue, known.queue) AS queue, coalesce(j.kind, known.kind) AS kind,
        count(*) FILTER (WHERE due) AS due,
        coalesce(extract(epoch FROM $1 - min(next_run_at) FILTER (WHERE due)), 0)::float8 AS oldest_due_seconds,
        count(*) FILTER (WHERE state = 'due' AND started_at IS NOT NULL) AS running,
        count(*) FILTER (WHERE state = 'due' AND started_at IS NULL AND next_run_at > $1) AS later,
        count(*) FILTER (WHERE state = 'dead') AS dead
    FROM (SELECT *, state = 'due' AND started_at IS NULL AND next_run_at <= $1 AS due FROM jobs) j
    FULL JOIN unnest($2, $3) AS known (kind, queue) ON known.kind = j.kind
    GROUP BY 1, 2 ORDER BY 1, 2";

/// The figures of every kind that this build knows or that has a row.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn queue_figures(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<QueueFigures>, DbError> {
    let kinds: Vec<&str> = JobKind::ALL.iter().map(|kind| kind.word()).collect();
    let queues: Vec<&str> = JobKind::ALL.iter().map(|kind| kind.policy().queue.word()).collect();
    Ok(sql_query(FIGURES)
        .bind::<Timestamptz, _>(now)
        .bind::<Array<Text>, _>(kinds)
        .bind::<Array<Text>, _>(queues)
        .load(conn)
        .await?)
}
