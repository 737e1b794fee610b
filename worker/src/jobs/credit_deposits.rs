//! `deposits.credit`: what came in and is final is credited; deposits whose time is over end.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use domain::deposits;

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// Transfers decided about in one commit.
const BATCH: i64 = 200;
/// Commits of one run.
const ROUNDS: usize = 20;

/// The handler.
pub(crate) struct CreditDeposits(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for CreditDeposits {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.credit(&job.object_id).await)
    }
}

impl CreditDeposits {
    async fn credit(&self, network: &str) -> Result<Outcome, WorkError> {
        let env = &self.0;
        for _ in 0..ROUNDS {
            let rules = env.rules();
            let policy = rules.credit.get(network);
            let policy = policy.ok_or_else(|| WorkError::Broken(format!("network {network:?} is not configured")))?;
            let now = env.clock.now();
            let done = deposits::credit(&env.pool, env.ids.as_ref(), network, policy, BATCH, now).await?;
            if done.decided > 0 {
                tracing::info!(network, credited = done.credited, held = done.held, "deposits decided");
            }
            env.push(done.wakes);
            if i64::try_from(done.decided).unwrap_or(BATCH) < BATCH {
                return self.expire(network).await;
            }
        }
        Ok(more(env))
    }

    async fn expire(&self, network: &str) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let ended = deposits::expire(&env.pool, env.ids.as_ref(), network, BATCH, env.clock.now()).await?;
        let full = i64::try_from(ended).unwrap_or(BATCH) >= BATCH;
        Ok(if full { more(env) } else { Outcome::Done })
    }
}

fn more(env: &Environment) -> Outcome {
    Outcome::Again {
        at: env.clock.now(),
        code: "more",
    }
}
