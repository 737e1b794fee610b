//! `chain.settle_final`: what is in solidified blocks is final; escrow of delivered orders becomes revenue.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use domain::watch::finalise;

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// Transactions settled in one commit.
const BATCH: i64 = 200;
/// Commits of one run.
const ROUNDS: usize = 20;

/// The handler.
pub(crate) struct SettleFinal(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for SettleFinal {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.settle(&job.object_id).await)
    }
}

impl SettleFinal {
    async fn settle(&self, network: &str) -> Result<Outcome, WorkError> {
        let env = &self.0;
        for _ in 0..ROUNDS {
            let now = env.clock.now();
            let (done, wakes) = finalise(&env.pool, env.ids.as_ref(), network, BATCH, &env.policy.death, now).await?;
            env.push(wakes);
            if i64::try_from(done).unwrap_or(BATCH) < BATCH {
                return Ok(Outcome::Done);
            }
        }
        Ok(Outcome::Again {
            at: env.clock.now(),
            code: "more",
        })
    }
}
