//! `deposits.rent`: coin that was sent to buy energy buys it, or goes back.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use chrono::Duration;
use domain::rentals::{Step, advance};

use super::object;
use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// Pause before it is looked at again while nothing is sold by transfer.
const SWITCHED_OFF: Duration = Duration::seconds(60);

/// The handler.
pub(crate) struct RentEnergy(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for RentEnergy {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.step(job).await)
    }
}

impl RentEnergy {
    async fn step(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let (id, now) = (object(job)?, env.clock.now());
        let rules = env.rules();
        let mut policies = rules.credit.values().filter_map(|credit| credit.rental.as_ref());
        let Some(policy) = policies.next() else {
            return Ok(Outcome::Again {
                at: now + SWITCHED_OFF,
                code: "not_configured",
            });
        };
        match advance(&env.pool, env.ids.as_ref(), policy, id, now).await? {
            Step::Rests(state) => {
                tracing::info!(rental = %id, %state, "a rental is seen to");
                Ok(Outcome::Done)
            }
            Step::Goes { at, waits_for, wakes } => {
                env.push(wakes);
                Ok(Outcome::Again { at, code: waits_for })
            }
        }
    }
}
