//! `deposits.plan_sweeps`: looks for deposit addresses that are worth collecting.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use domain::sweeps::plan;

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// The handler.
pub(crate) struct PlanSweeps(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for PlanSweeps {
    async fn run(&self, _job: &RunningJob) -> Outcome {
        outcome(self.plan().await)
    }
}

impl PlanSweeps {
    async fn plan(&self) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let planned = plan(&env.pool, env.ids.as_ref(), &env.rules().sweep, env.clock.now()).await?;
        if planned.sweeps > 0 {
            tracing::info!(sweeps = planned.sweeps, "deposit addresses are to be collected");
        }
        env.push(planned.wakes);
        Ok(Outcome::Done)
    }
}
