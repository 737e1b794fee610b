//! Jobs: listed, tried again, dropped, and counted per queue.

use ::jobs::operate::{self, JobFilter, JobRow, Place, Standing};
use ::jobs::{QueueFigures, queue_figures};
use chrono::{DateTime, Utc};
use db::models::Action;
use db::{Pool, acquire, run_tx};
use kernel::IdGen;
use serde_json::{Value, json};

use super::{AT_ONCE, Command, Done, Instruction};
use crate::DomainError;

/// Jobs that fit, those first that have stood longest, or shortest where the filter says so.
///
/// # Errors
/// When the database cannot be asked.
pub async fn jobs_page(
    pool: &Pool,
    filter: &JobFilter,
    after: Option<&Place>,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<JobRow>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(operate::list(&mut conn, filter, after, limit, now).await?)
}

/// How full each queue is, kind by kind.
///
/// # Errors
/// When the database cannot be asked.
pub async fn queues(pool: &Pool, now: DateTime<Utc>) -> Result<Vec<QueueFigures>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(queue_figures(&mut conn, now).await?)
}

/// Gives dead jobs a fresh set of runs, or makes jobs that are for later due now. Dead ones are meant where the filter
/// does not say; due and running jobs are on their way anyway.
///
/// # Errors
/// When the filter asks for jobs that cannot be re-driven, the reason cannot be kept, or the database fails.
pub async fn redrive_jobs(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    filter: &JobFilter,
    now: DateTime<Utc>,
) -> Result<Done, DomainError> {
    let filter = standing_for(filter, &[Standing::Dead, Standing::Later])?;
    let command = Command::new(ids, Action::JobsRedrive, instruction, in_json(&filter), now)?;
    run_tx(pool, "redrive_jobs", async |conn| {
        if instruction.dry_run {
            return Ok(Done::counted(operate::count(conn, &filter, now).await?));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok(done);
        }
        let matched = operate::count(conn, &filter, now).await?;
        let taken = operate::redrive_in_tx(conn, &filter, AT_ONCE, now).await?;
        let objects = taken.iter().map(as_it_was).collect();
        command.done_in_tx(conn, matched, objects, Vec::new()).await
    })
    .await
}

/// Removes dead jobs for good. What an object still needs is asked for again by whoever finds that it is missing: the
/// reconciler for pending orders, the watcher for ended rentals, the schedules for the rest.
///
/// # Errors
/// When the filter asks for others than dead jobs, the reason is missing or cannot be kept, or the database fails.
pub async fn drop_jobs(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    filter: &JobFilter,
    now: DateTime<Utc>,
) -> Result<Done, DomainError> {
    let filter = standing_for(filter, &[Standing::Dead])?;
    let command = Command::new(ids, Action::JobsDrop, instruction, in_json(&filter), now)?;
    run_tx(pool, "drop_jobs", async |conn| {
        if instruction.dry_run {
            return Ok(Done::counted(operate::count(conn, &filter, now).await?));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok(done);
        }
        let matched = operate::count(conn, &filter, now).await?;
        let taken = operate::drop_in_tx(conn, &filter, AT_ONCE, now).await?;
        let objects = taken.iter().map(as_it_was).collect();
        command.done_in_tx(conn, matched, objects, Vec::new()).await
    })
    .await
}

/// The filter, held to jobs that the command is for; dead ones where it does not say.
fn standing_for(filter: &JobFilter, fit: &[Standing]) -> Result<JobFilter, DomainError> {
    let standing = filter.standing.unwrap_or(Standing::Dead);
    if filter.overdue || !fit.contains(&standing) {
        return Err(DomainError::BadStanding);
    }
    Ok(JobFilter {
        standing: Some(standing),
        ..filter.clone()
    })
}

fn in_json(filter: &JobFilter) -> Value {
    json!({
        "state": filter.standing,
        "kind": filter.kind,
        "queue": filter.queue,
        "object_id": filter.object_id,
        "code": filter.code,
    })
}

fn as_it_was(job: &JobRow) -> Value {
    json!({
        "kind": job.kind,
        "object_id": job.object_id,
        "state": job.standing,
        "since": job.since,
        "runs": job.runs,
        "code": job.last_error_code,
        "error": job.last_error,
    })
}
