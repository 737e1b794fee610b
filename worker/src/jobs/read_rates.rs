//! `rates.read`: asks the sources what TRX a USDT is worth, and stores what they say.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// The handler.
pub(crate) struct ReadRates(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for ReadRates {
    async fn run(&self, _: &RunningJob) -> Outcome {
        outcome(self.read().await)
    }
}

impl ReadRates {
    async fn read(&self) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let policy = env.rules().rates;
        let read = env.rates.read(&env.pool, env.ids.as_ref(), env.clock.as_ref(), &policy);
        let read = read.await?;
        if let Some(round) = read {
            env.push(round.wakes);
        }
        Ok(Outcome::Done)
    }
}
