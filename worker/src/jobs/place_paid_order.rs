//! `deposits.place_order`: a deposit is paid, and buys the order that it was announced for.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use chrono::Duration;
use domain::deposits::{Placing, place_order};

use super::object;
use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// Pause before it is tried again while new orders are stopped.
const PAUSE: Duration = Duration::seconds(30);
/// Pause before it is tried again while its key's limit of a day is met: the day ends at 00:00 UTC, and the limit may be raised.
const LIMITED: Duration = Duration::minutes(10);

/// The handler.
pub(crate) struct PlacePaidOrder(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for PlacePaidOrder {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.place(job).await)
    }
}

impl PlacePaidOrder {
    async fn place(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let deposit = object(job)?;
        let (deadline, now) = (env.rules().order_deadline, env.clock.now());
        match place_order(&env.pool, env.ids.as_ref(), deposit, deadline, now).await? {
            Placing::NothingToDo => {}
            Placing::Placed { order, wake } => {
                tracing::info!(%deposit, %order, "a paid order was placed");
                env.push(wake.into_iter().collect());
            }
            Placing::Failed(reason) => tracing::warn!(%deposit, reason, "a paid order was not placed"),
            Placing::Stopped => {
                return Ok(Outcome::Again {
                    at: now + PAUSE,
                    code: "maintenance",
                });
            }
            Placing::Limited => {
                return Ok(Outcome::Again {
                    at: now + LIMITED,
                    code: "daily_limit",
                });
            }
        }
        Ok(Outcome::Done)
    }
}
