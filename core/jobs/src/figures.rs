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
    /// For how long the oldest of these has been due, or one that was begun and whose run is lost.
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

/// The kinds of this build are there even without a row, so that whoever watches sees them go back to zero. A job whose run
/// is lost is due again since its lease was over, though it counts as begun until somebody takes it. A kind that this build does
/// not know gets the longest time that any run may take.
const FIGURES: &str = "
    SELECT queue, kind,
        count(*) FILTER (WHERE ready_at <= $1 AND started_at IS NULL) AS due,
        coalesce(extract(epoch FROM $1 - min(ready_at) FILTER (WHERE ready_at <= $1)), 0)::float8 AS oldest_due_seconds,
        count(*) FILTER (WHERE state = 'due' AND started_at IS NOT NULL) AS running,
        count(*) FILTER (WHERE state = 'due' AND started_at IS NULL AND next_run_at > $1) AS later,
        count(*) FILTER (WHERE state = 'dead') AS dead
    FROM (
        SELECT coalesce(j.queue, known.queue) AS queue, coalesce(j.kind, known.kind) AS kind,
            j.state, j.started_at, j.next_run_at,
            CASE WHEN j.state = 'due' THEN greatest(j.next_run_at,
                j.started_at + make_interval(secs => coalesce(known.lease, 120))) END AS ready_at
        FROM jobs j
        FULL JOIN unnest($2, $3, $4) AS known (kind, queue, lease) ON known.kind = j.kind
    ) job
    GROUP BY queue, kind ORDER BY queue, kind";

/// The figures of every kind that this build knows or that has a row.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn queue_figures(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<QueueFigures>, DbError> {
    let kinds: Vec<&str> = JobKind::ALL.iter().map(|kind| kind.word()).collect();
    let queues: Vec<&str> = JobKind::ALL.iter().map(|kind| kind.policy().queue.word()).collect();
    let lease = |kind: &JobKind| kind.policy().lease().as_seconds_f64();
    let leases: Vec<f64> = JobKind::ALL.iter().map(lease).collect();
    Ok(sql_query(FIGURES)
        .bind::<Timestamptz, _>(now)
        .bind::<Array<Text>, _>(kinds)
        .bind::<Array<Text>, _>(queues)
        .bind::<Array<Double>, _>(leases)
        .load(conn)
        .await?)
}
