//! `deposits.exchange`: what was paid in while there was no rate is exchanged once there is one.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use domain::exchanges::{Settled, settle_next};

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// Exchanges of one run.
const AT_ONCE: usize = 200;

/// The handler.
pub(crate) struct ExchangeDeposits(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for ExchangeDeposits {
    async fn run(&self, _: &RunningJob) -> Outcome {
        outcome(self.exchange().await)
    }
}

impl ExchangeDeposits {
    async fn exchange(&self) -> Result<Outcome, WorkError> {
        let env = &self.0;
        for _ in 0..AT_ONCE {
            match settle_next(&env.pool, env.ids.as_ref(), &env.rules().rates, env.clock.now()).await? {
                // the round or the operator that brings a rate asks for this again
                Settled::Nothing | Settled::NoRate => return Ok(Outcome::Done),
                Settled::Done | Settled::Failed => {}
            }
        }
        Ok(Outcome::Again {
            at: env.clock.now(),
            code: "more",
        })
    }
}
