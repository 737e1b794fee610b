//! Brings due jobs to Redis that nobody pushed, or whose push was lost. This alone would be enough; pushes after a
//! commit are only faster.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use db::models::Switch;
use db::{DbError, Pool, acquire};
use jobs::{Feed, Queue, WakeQueue, backoff_for, bury_never_finished, take_due};
use kernel::Clock;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Liveness;
use super::liveness::DISPATCHER;

/// What one dispatcher looks after.
pub(super) struct Dispatcher {
    pub(super) pool: Pool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) wakes: WakeQueue,
    pub(super) queues: Vec<Queue>,
    pub(super) interval: Duration,
    /// Seeds the jitter, so that the dispatchers of many workers do not look together.
    pub(super) name: String,
    pub(super) liveness: Liveness,
}

/// Jobs taken in one step.
const STEP: u64 = 500;
/// A push is lost if nobody began the job for so long: while the queue in Redis is empty, and while it is not.
const LOST: (TimeDelta, TimeDelta) = (TimeDelta::seconds(2), TimeDelta::seconds(20));

impl Dispatcher {
    /// Looks at every interval until told to stop.
    pub(super) async fn dispatch(self, stop: CancellationToken) {
        let mut look = 0_u32;
        let mut was_well = true;
        while stop.run_until_cancelled(sleep(self.pause(look))).await.is_some() {
            look = look.wrapping_add(1);
            let looked = self.look().await;
            if let (Err(error), true) = (&looked, was_well) {
                tracing::warn!(%error, "the dispatcher cannot read the table of jobs");
            }
            was_well = looked.is_ok();
            if was_well {
                self.liveness.beat(DISPATCHER);
            }
        }
    }

    /// The interval, give or take a quarter.
    fn pause(&self, look: u32) -> Duration {
        let spread = u64::try_from((self.interval / 2).as_millis())
            .unwrap_or(u64::MAX)
            .max(1);
        let jitter = backoff_for(jobs::JobKind::OperationsPrune, &self.name, look).as_millis();
        let jitter = u64::try_from(jitter).unwrap_or_default() % spread;
        self.interval * 3 / 4 + Duration::from_millis(jitter)
    }

    async fn look(&self) -> Result<(), DbError> {
        for queue in &self.queues {
            let mut conn = acquire(&self.pool).await?;
            bury_never_finished(&mut conn, *queue, self.clock.now()).await?;
            let paused = Switch::is_on(&mut conn, &queue.pause_switch()).await?;
            drop(conn);
            // a wake of a queue that is paused is for nothing: what is due is brought once it goes on
            if !paused {
                self.feed(*queue).await?;
            }
        }
        Ok(())
    }

    /// Feeds one queue until nothing is due or Redis has enough. While Redis is away the table is left as it is.
    async fn feed(&self, queue: Queue) -> Result<(), DbError> {
        let Ok(mut depth) = self.wakes.depth(queue).await else {
            return Ok(());
        };
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("switchyard_wakes_waiting", "queue" => queue.word()).set(depth as f64);
        let lost_after = if depth == 0 { LOST.0 } else { LOST.1 };
        let max_depth = self.wakes.config().max_depth;
        while depth < max_depth {
            let limit = STEP.min(max_depth - depth);
            let now = self.clock.now();
            let feed = Feed {
                queue,
                now,
                lost_before: now - lost_after,
                limit: u32::try_from(limit).unwrap_or(u32::MAX),
            };
            let mut conn = acquire(&self.pool).await?;
            let taken = take_due(&mut conn, feed).await?;
            drop(conn);
            let report = self.wakes.push_now(&taken).await;
            let pushed = u64::try_from(report.pushed).unwrap_or(u64::MAX);
            metrics::counter!("switchyard_jobs_dispatched_total", "queue" => queue.word()).increment(pushed);
            if report.pushed < taken.len() || u64::try_from(taken.len()).unwrap_or(u64::MAX) < limit {
                return Ok(());
            }
            depth = depth.saturating_add(pushed);
        }
        Ok(())
    }
}
