//! One run of a job: beginning it, and writing down how it ended.
//!
//! `started_at` is the run's mark. While it is younger than the kind's lease nobody else begins; whoever comes to an end
//! changes the row only if the mark is still theirs, so a run that was taken for dead cannot undo the work of its
//! successor. Nothing here is needed for correctness of money: handlers guard their own effects. So these statements
//! commit without waiting for the disk, except inside a handler's own transaction.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use db::schema::{jobs, switches};
use db::{Conn, DbError, Pool, Prepare as _, acquire, failpoint};
use diesel::sql_types::{Array, Integer, Text, Timestamptz};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, NullableExpressionMethods, OptionalExtension, QueryDsl,
};
use diesel_async::RunQueryDsl;

use crate::JobKind;

/// A run that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningJob {
    /// What is to be done.
    pub kind: JobKind,
    /// To what.
    pub object_id: String,
    /// The request that this run answers.
    pub request: i32,
    /// How many runs there were since the last success, with this one.
    pub runs: u32,
    /// When it became due.
    pub due_at: DateTime<Utc>,
    /// When this run began: its mark in the row.
    pub started_at: DateTime<Utc>,
}

/// What became of the row at the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// The job is done and its row is gone, or dead if it was buried.
    Ended,
    /// Somebody asked again meanwhile: the row stays due, and the dispatcher brings it.
    RequestedAgain,
    /// The row is not this run's any more: it was completed before, or another run took over.
    Lost,
}

/// How far the clocks of two hosts may differ without a wake-up being refused as too early.
const CLOCK_SKEW: chrono::TimeDelta = chrono::TimeDelta::seconds(1);

/// Begins a run if the job is due, nobody runs it and its queue is not paused. `None`: there is nothing to do.
///
/// Takes the pool, not a connection: this must never be part of a transaction that has to be durable.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn begin(
    pool: &Pool,
    kind: JobKind,
    object_id: &str,
    now: DateTime<Utc>,
) -> Result<Option<RunningJob>, DbError> {
    let policy = kind.policy();
    let paused = switches::table
        .filter(switches::name.eq(policy.queue.pause_switch()))
        .filter(switches::enabled);
    let max_runs = i32::try_from(policy.max_runs).unwrap_or(i32::MAX);
    let mut conn = acquire(pool).await?;
    let begun = diesel::update(
        jobs::table
            .filter(jobs::kind.eq(kind).and(jobs::object_id.eq(object_id)))
            .filter(jobs::state.eq("due"))
            .filter(jobs::next_run_at.le(now + CLOCK_SKEW))
            .filter(jobs::runs.lt(max_runs))
            .filter(
                jobs::started_at
                    .is_null()
                    .or(jobs::started_at.assume_not_null().lt(now - policy.lease())),
            )
            .filter(diesel::dsl::not(diesel::dsl::exists(paused)))
            .filter(db::commit_lazily!()),
    )
    .set((jobs::runs.eq(jobs::runs + 1), jobs::started_at.eq(now)))
    .returning((jobs::request, jobs::runs, jobs::next_run_at))
    .prepared()
    .get_result::<(i32, i32, DateTime<Utc>)>(&mut conn)
    .await
    .optional()?;
    if begun.is_some() {
        failpoint::reach(kind.word(), "begun");
    }
    Ok(begun.map(|(request, runs, due_at)| RunningJob {
        kind,
        object_id: object_id.to_owned(),
        request,
        runs: runs.unsigned_abs(),
        due_at,
        started_at: now,
    }))
}

/// The rows, none or one, that carry this run's mark.
macro_rules! mine {
    ($job:expr) => {
        jobs::table
            .filter(
                jobs::kind
                    .eq($job.kind)
                    .and(jobs::object_id.eq($job.object_id.as_str())),
            )
            .filter(jobs::started_at.assume_not_null().eq($job.started_at))
    };
}

/// The job is done: removes its row, unless somebody asked again meanwhile. Done twice, the second is `Lost`.
///
/// A handler calls it inside the transaction of its effect, and thus saves a commit.
///
/// # Errors
/// When PostgreSQL refuses.
pub async fn complete_in_tx(conn: &mut Conn, job: &RunningJob) -> Result<Completed, DbError> {
    let removed = diesel::delete(mine!(job).filter(jobs::request.eq(job.request)))
        .execute(conn)
        .await?;
    if removed > 0 {
        return Ok(Completed::Ended);
    }
    release(conn, job).await
}

/// [`complete_in_tx`] for several jobs of one kind, in one statement where nobody asked again.
///
/// # Errors
/// When PostgreSQL refuses.
pub async fn complete_many_in_tx(conn: &mut Conn, kind: JobKind, all: &[&RunningJob]) -> Result<(), DbError> {
    let objects: Vec<&str> = all.iter().map(|job| job.object_id.as_str()).collect();
    let marks: Vec<DateTime<Utc>> = all.iter().map(|job| job.started_at).collect();
    let requests: Vec<i32> = all.iter().map(|job| job.request).collect();
    let ended: Vec<Ended> = diesel::sql_query(
        "DELETE FROM jobs j USING unnest($2, $3, $4) AS run (object_id, started_at, request) \
         WHERE j.kind = $1 AND j.object_id = run.object_id AND j.started_at = run.started_at \
         AND j.request = run.request RETURNING j.object_id",
    )
    .bind::<Text, _>(kind.word())
    .bind::<Array<Text>, _>(objects)
    .bind::<Array<Timestamptz>, _>(marks)
    .bind::<Array<Integer>, _>(requests)
    .prepared()
    .load(conn)
    .await?;
    let ended: HashSet<String> = ended.into_iter().map(|row| row.object_id).collect();
    for job in all.iter().filter(|job| !ended.contains(&job.object_id)) {
        release(conn, job).await?;
    }
    Ok(())
}

#[derive(diesel::QueryableByName)]
struct Ended {
    #[diesel(sql_type = Text)]
    object_id: String,
}

/// [`complete_in_tx`] on its own.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn complete(pool: &Pool, job: &RunningJob) -> Result<Completed, DbError> {
    let mut conn = acquire(pool).await?;
    let removed = diesel::delete(
        mine!(job)
            .filter(jobs::request.eq(job.request))
            .filter(db::commit_lazily!()),
    )
    .execute(&mut conn)
    .await?;
    if removed > 0 {
        return Ok(Completed::Ended);
    }
    release(&mut conn, job).await
}

/// Leaves the row due for the request that came while this run was on.
async fn release(conn: &mut Conn, job: &RunningJob) -> Result<Completed, DbError> {
    let kept = diesel::update(mine!(job))
        .set((
            jobs::runs.eq(0),
            jobs::started_at.eq(None::<DateTime<Utc>>),
            jobs::pushed_at.eq(None::<DateTime<Utc>>),
        ))
        .prepared()
        .execute(conn)
        .await?;
    Ok(if kept > 0 {
        Completed::RequestedAgain
    } else {
        Completed::Lost
    })
}

/// The run failed; the next one is at `at`. The run stays counted.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn retry(
    pool: &Pool,
    job: &RunningJob,
    at: DateTime<Utc>,
    code: &str,
    message: &str,
) -> Result<Completed, DbError> {
    put_off(pool, job, (at, job.runs), (code, message)).await
}

/// The run failed because somebody else was away; the next one is at `at`. However long that lasts, the job does not die of
/// it: see [`crate::Policy::runs_after_outage`].
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn wait_for(
    pool: &Pool,
    job: &RunningJob,
    at: DateTime<Utc>,
    code: &str,
    message: &str,
) -> Result<Completed, DbError> {
    let counted = job.kind.policy().runs_after_outage(job.runs);
    put_off(pool, job, (at, counted), (code, message)).await
}

/// Leaves the row due for a time, with so many runs counted.
async fn put_off(
    pool: &Pool,
    job: &RunningJob,
    (at, counted): (DateTime<Utc>, u32),
    (code, message): (&str, &str),
) -> Result<Completed, DbError> {
    let mut conn = acquire(pool).await?;
    let kept = diesel::update(mine!(job).filter(db::commit_lazily!()))
        .set((
            jobs::next_run_at.eq(at),
            jobs::runs.eq(i32::try_from(counted).unwrap_or(i32::MAX)),
            jobs::started_at.eq(None::<DateTime<Utc>>),
            jobs::pushed_at.eq(None::<DateTime<Utc>>),
            jobs::last_error_code.eq(bounded(code, MAX_CODE)),
            jobs::last_error.eq(bounded(message, MAX_MESSAGE)),
        ))
        .prepared()
        .execute(&mut conn)
        .await?;
    Ok(if kept > 0 {
        Completed::RequestedAgain
    } else {
        Completed::Lost
    })
}

/// The run went well and wants another at `at`, for the reason `code`; nothing counts as failed. If somebody asked meanwhile for an earlier
/// run, the earlier time holds.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn again(pool: &Pool, job: &RunningJob, at: DateTime<Utc>, code: &str) -> Result<Completed, DbError> {
    let mut conn = acquire(pool).await?;
    let next = diesel::dsl::case_when(
        jobs::request.eq(job.request),
        at.into_sql::<diesel::sql_types::Timestamptz>(),
    )
    .otherwise(crate::enqueue::least(jobs::next_run_at, at));
    let kept = diesel::update(mine!(job).filter(db::commit_lazily!()))
        .set((
            jobs::next_run_at.eq(next),
            jobs::runs.eq(0),
            jobs::started_at.eq(None::<DateTime<Utc>>),
            jobs::pushed_at.eq(None::<DateTime<Utc>>),
            jobs::last_error_code.eq(bounded(code, MAX_CODE)),
        ))
        .prepared()
        .execute(&mut conn)
        .await?;
    Ok(if kept > 0 {
        Completed::RequestedAgain
    } else {
        Completed::Lost
    })
}

/// The job cannot succeed: it is dead until an operator looks at it. A request that came during the run keeps it alive.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn bury(
    pool: &Pool,
    job: &RunningJob,
    code: &str,
    message: &str,
    now: DateTime<Utc>,
) -> Result<Completed, DbError> {
    let mut conn = acquire(pool).await?;
    let dead = diesel::update(mine!(job).filter(jobs::request.eq(job.request)))
        .set((
            jobs::state.eq("dead"),
            jobs::dead_at.eq(now),
            jobs::started_at.eq(None::<DateTime<Utc>>),
            jobs::last_error_code.eq(bounded(code, MAX_CODE)),
            jobs::last_error.eq(bounded(message, MAX_MESSAGE)),
        ))
        .prepared()
        .execute(&mut conn)
        .await?;
    if dead == 0 {
        return release(&mut conn, job).await;
    }
    mourn(job.kind, &job.object_id, job.runs, code);
    Ok(Completed::Ended)
}

/// Counts and logs a dead job.
pub(crate) fn mourn(kind: JobKind, object_id: &str, runs: u32, code: &str) {
    metrics::counter!("switchyard_jobs_dead_total", "kind" => kind.word()).increment(1);
    tracing::error!(
        kind = kind.word(),
        object_id,
        runs,
        code,
        "a job is dead and waits for an operator"
    );
}

const MAX_CODE: usize = 100;
const MAX_MESSAGE: usize = 1000;

/// At most `max` characters, without the NUL that PostgreSQL refuses.
fn bounded(text: &str, max: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(max).collect()
}
