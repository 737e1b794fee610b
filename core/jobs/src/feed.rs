//! What the dispatcher asks of the table: which jobs are due and on nobody's mind.

use chrono::{DateTime, Utc};
use db::{Conn, DbError, Prepare as _};
use diesel::sql_types::{Array, BigInt, Double, Integer, Text, Timestamptz};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use crate::run::mourn;
use crate::{JobKind, Queue, Wake};

/// Which jobs to take.
#[derive(Debug, Clone, Copy)]
pub struct Feed {
    /// Of this queue.
    pub queue: Queue,
    /// The current time.
    pub now: DateTime<Utc>,
    /// A push before this time that nobody answered is lost.
    pub lost_before: DateTime<Utc>,
    /// At most so many.
    pub limit: u32,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    kind: JobKind,
    #[diesel(sql_type = Text)]
    object_id: String,
    #[diesel(sql_type = Integer)]
    number: i32,
}

/// A job is ready at its time, or when the lease of a run that never ended is over. It is taken if it was not pushed
/// since, or if that push is lost. Two dispatchers skip one another's rows.
const TAKE_DUE: &str = "
    UPDATE jobs SET generation = nextval('job_generation'), pushed_at = $1
    FROM (
        SELECT j.kind, j.object_id FROM jobs j
        JOIN unnest($2, $3, $4) AS p (kind, lease, max_runs) ON p.kind = j.kind
        CROSS JOIN LATERAL (
            SELECT greatest(j.next_run_at, j.started_at + make_interval(secs => p.lease)) AS ready_at) r
        WHERE j.queue = $5 AND j.state = 'due' AND j.next_run_at <= $1 AND r.ready_at <= $1
            AND j.runs < p.max_runs
            AND (j.pushed_at IS NULL OR j.pushed_at < r.ready_at OR j.pushed_at < $6)
        ORDER BY j.next_run_at LIMIT $7
        FOR UPDATE OF j SKIP LOCKED
    ) taken
    WHERE jobs.kind = taken.kind AND jobs.object_id = taken.object_id
        AND set_config('synchronous_commit', 'off', true) = 'off'
    RETURNING jobs.kind, jobs.object_id, jobs.generation AS number";

/// Takes jobs to be pushed, oldest first, and marks them as pushed now. Run it on its own, outside a transaction.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn take_due(conn: &mut Conn, feed: Feed) -> Result<Vec<Wake>, DbError> {
    let table = Leases::of(feed.queue);
    let rows = sql_query(TAKE_DUE)
        .bind::<Timestamptz, _>(feed.now)
        .bind::<Array<Text>, _>(table.kinds)
        .bind::<Array<Double>, _>(table.seconds)
        .bind::<Array<Integer>, _>(table.max_runs)
        .bind::<Text, _>(feed.queue)
        .bind::<Timestamptz, _>(feed.lost_before)
        .bind::<BigInt, _>(i64::from(feed.limit))
        .prepared()
        .load::<Row>(conn)
        .await?;
    let wake = |row: Row| Wake {
        kind: row.kind,
        object_id: row.object_id,
        generation: row.number,
    };
    Ok(rows.into_iter().map(wake).collect())
}

/// Runs are counted when they begin. A job whose runs are used up and whose last run never ended killed its process each
/// time.
const BURY: &str = "
    UPDATE jobs SET state = 'dead', dead_at = $1, started_at = NULL, last_error_code = 'never_finished',
        last_error = 'the last run began and never came to an end'
    FROM unnest($2, $3, $4) AS p (kind, lease, max_runs)
    WHERE p.kind = jobs.kind AND jobs.queue = $5 AND jobs.state = 'due' AND jobs.next_run_at <= $1
        AND jobs.runs >= p.max_runs
        AND (jobs.started_at IS NULL OR jobs.started_at < $1 - make_interval(secs => p.lease))
    RETURNING jobs.kind, jobs.object_id, jobs.runs AS number";

/// Buries the jobs that used up their runs without ever coming to an end; answers how many.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn bury_never_finished(conn: &mut Conn, queue: Queue, now: DateTime<Utc>) -> Result<usize, DbError> {
    let table = Leases::of(queue);
    let dead = sql_query(BURY)
        .bind::<Timestamptz, _>(now)
        .bind::<Array<Text>, _>(table.kinds)
        .bind::<Array<Double>, _>(table.seconds)
        .bind::<Array<Integer>, _>(table.max_runs)
        .bind::<Text, _>(queue)
        .prepared()
        .load::<Row>(conn)
        .await?;
    for row in &dead {
        mourn(row.kind, &row.object_id, row.number.unsigned_abs(), "never_finished");
    }
    Ok(dead.len())
}

/// The policy table as three columns.
struct Leases {
    kinds: Vec<&'static str>,
    seconds: Vec<f64>,
    max_runs: Vec<i32>,
}

impl Leases {
    fn of(queue: Queue) -> Self {
        let policies: Vec<_> = queue.kinds().map(|kind| (kind, kind.policy())).collect();
        Self {
            kinds: policies.iter().map(|(kind, _)| kind.word()).collect(),
            seconds: policies
                .iter()
                .map(|(_, policy)| policy.lease().as_seconds_f64())
                .collect(),
            max_runs: policies
                .iter()
                .map(|(_, policy)| i32::try_from(policy.max_runs).unwrap_or(i32::MAX))
                .collect(),
        }
    }
}
