//! One wake-up: begin the job, run its handler within its time, write down how it ended.
//!
//! Redis always hears "done": when to try again is PostgreSQL's to say. Nothing that a handler or a payload does ends
//! the worker.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use db::{DbError, Pool, failpoint};
use futures::FutureExt;
use jobs::{Completed, Queue, RunningJob, Wake, backoff_for, backoff_while_away};
use kernel::{Clock, ErrorClass};
use tokio::time::{Instant, timeout};

use super::{Outcome, Registry};

/// What every run needs.
pub(super) struct Runner {
    pub(super) pool: Pool,
    pub(super) registry: Registry,
    pub(super) clock: Arc<dyn Clock>,
}

/// The bytes were no wake-up of ours.
#[derive(Debug, thiserror::Error)]
#[error("no wake-up: {0}")]
pub(super) struct Undecodable(String);

/// So that a queue full of wake-ups is not drained in vain while PostgreSQL is away.
const PAUSE: Duration = Duration::from_millis(250);

impl Runner {
    /// Runs what the bytes name.
    pub(super) async fn wake(&self, queue: Queue, bytes: &[u8]) -> Result<(), Undecodable> {
        let wake = Wake::decode(bytes).map_err(|reason| {
            metrics::counter!("switchyard_wakes_undecodable_total", "queue" => queue.word()).increment(1);
            tracing::error!(
                queue = queue.word(),
                reason,
                "a wake-up cannot be read; it is left among the dead"
            );
            Undecodable(reason)
        })?;
        if let Err(error) = self.run(&wake).await {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(kind = wake.kind.word(), object_id = wake.object_id, %error, cause, "a job was left to the dispatcher");
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn run(&self, wake: &Wake) -> Result<(), DbError> {
        let Some(handler) = self.registry.get(&wake.kind) else {
            tracing::error!(
                kind = wake.kind.word(),
                "this worker has no handler for a job of its queue"
            );
            return Ok(());
        };
        let begun = jobs::begin(&self.pool, wake.kind, &wake.object_id, self.clock.now()).await?;
        let Some(job) = begun else {
            count(wake.kind.word(), "nothing_to_do");
            return Ok(());
        };
        let delay = (job.started_at - job.due_at).max(TimeDelta::zero());
        metrics::histogram!("switchyard_job_start_delay_seconds", "kind" => job.kind.word())
            .record(delay.as_seconds_f64());
        let started = Instant::now();
        let outcome = bounded(handler.run(&job), job.kind.policy().timeout).await;
        metrics::histogram!("switchyard_job_seconds", "kind" => job.kind.word())
            .record(started.elapsed().as_secs_f64());
        failpoint::reach(job.kind.word(), "ran");
        self.insist(&job, &outcome, started).await?;
        failpoint::reach(job.kind.word(), "ended");
        Ok(())
    }

    /// Writes down how the run ended. While PostgreSQL is away it tries again, as long as the job is kept for this run: else
    /// a restart of PostgreSQL would make each job that it met wait until its lease is over.
    async fn insist(&self, job: &RunningJob, outcome: &Outcome, started: Instant) -> Result<(), DbError> {
        let lease = job.kind.policy().lease().to_std().unwrap_or_default();
        loop {
            match self.apply(job, outcome.clone()).await {
                Err(error) if error.class() == ErrorClass::Unavailable && started.elapsed() + PAUSE < lease => {
                    tracing::warn!(kind = job.kind.word(), object_id = job.object_id, %error, "the end of a job could not be written down yet");
                    tokio::time::sleep(PAUSE).await;
                }
                ended => return ended,
            }
        }
    }

    async fn apply(&self, job: &RunningJob, outcome: Outcome) -> Result<(), DbError> {
        let now = self.clock.now();
        let (word, ended) = match outcome {
            Outcome::Done => ("done", jobs::complete(&self.pool, job).await?),
            Outcome::Completed => ("done", Completed::Ended),
            Outcome::Again { at, code } => ("again", jobs::again(&self.pool, job, at, code).await?),
            Outcome::Fail { code, message } => ("failed", jobs::bury(&self.pool, job, code, &message, now).await?),
            Outcome::RetryAt { code, message, .. } | Outcome::Retry { code, message }
                if job.runs >= job.kind.policy().max_runs =>
            {
                ("failed", jobs::bury(&self.pool, job, code, &message, now).await?)
            }
            Outcome::RetryAt { at, code, message } => {
                tell(job, at, code, &message);
                ("retry", jobs::retry(&self.pool, job, at, code, &message).await?)
            }
            Outcome::Retry { code, message } => {
                let at = now + after(backoff_for(job.kind, &job.object_id, job.runs));
                tell(job, at, code, &message);
                ("retry", jobs::retry(&self.pool, job, at, code, &message).await?)
            }
            // a retry like any other to whoever counts the runs; only the row does not come nearer to its death
            Outcome::Away { code, message } => {
                let at = now + after(backoff_while_away(job));
                tell(job, at, code, &message);
                ("retry", jobs::wait_for(&self.pool, job, at, code, &message).await?)
            }
        };
        let overtaken = ended == Completed::Lost;
        count(job.kind.word(), if overtaken { "overtaken" } else { word });
        Ok(())
    }
}

fn after(pause: Duration) -> TimeDelta {
    TimeDelta::from_std(pause).unwrap_or_default()
}

fn tell(job: &RunningJob, at: DateTime<Utc>, code: &str, message: &str) {
    let (kind, object_id, runs) = (job.kind.word(), job.object_id.as_str(), job.runs);
    tracing::warn!(kind, object_id, runs, code, message, next = %at, "a job failed and is tried again");
}

/// A handler that panics or takes too long has failed, no more.
async fn bounded(run: impl Future<Output = Outcome>, limit: Duration) -> Outcome {
    match timeout(limit, AssertUnwindSafe(run).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Outcome::Retry {
            code: "panic",
            message: text_of(panic.as_ref()),
        },
        Err(_) => Outcome::Retry {
            code: "timeout",
            message: format!("no answer within {limit:?}"),
        },
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

fn count(kind: &'static str, outcome: &'static str) {
    metrics::counter!("switchyard_job_runs_total", "kind" => kind, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_and_a_handler_that_never_answers_are_failures() {
        let limit = Duration::from_millis(20);
        let boom = async { panic!("boom {}", 1) };
        assert_eq!(
            bounded(boom, limit).await,
            Outcome::Retry {
                code: "panic",
                message: "boom 1".into()
            }
        );
        let never = std::future::pending();
        let Outcome::Retry { code, .. } = bounded(never, limit).await else {
            panic!("it is tried again")
        };
        assert_eq!(code, "timeout");
        assert_eq!(bounded(async { Outcome::Done }, limit).await, Outcome::Done);
    }
}
