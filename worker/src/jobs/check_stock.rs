//! `wallets.check_stock`: what the pool and its wallets are short of, and wallets that are tried again.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use db::run_tx;
use domain::pool::check_in_tx;
use domain::wallets::begin_probations;

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// The handler.
pub(crate) struct CheckStock(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for CheckStock {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.check(&job.object_id).await)
    }
}

impl CheckStock {
    async fn check(&self, network: &str) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let now = env.clock.now();
        begin_probations(&env.pool, env.policy.death.isolate_after, now).await?;
        let limits = env.rules().stock;
        run_tx(&env.pool, "check_stock", async |conn| {
            check_in_tx(conn, env.ids.as_ref(), network, limits, now).await
        })
        .await?;
        Ok(Outcome::Done)
    }
}
