//! `orders.cancel_expired`: pending orders past their deadline are cancelled, money back; what quotes hold that nobody used in
//! time is free again.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use domain::orders::cancel_past_deadline;
use domain::pool::release_unused;

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// Orders cancelled in one commit, and quotes whose holds end.
const BATCH: i64 = 200;
/// Commits of one run.
const ROUNDS: usize = 20;

/// The handler.
pub(crate) struct CancelExpiredOrders(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for CancelExpiredOrders {
    async fn run(&self, _: &RunningJob) -> Outcome {
        outcome(self.cancel().await)
    }
}

impl CancelExpiredOrders {
    async fn cancel(&self) -> Result<Outcome, WorkError> {
        let env = &self.0;
        release_unused(&env.pool, BATCH, env.clock.now()).await?;
        for _ in 0..ROUNDS {
            let done = cancel_past_deadline(&env.pool, env.ids.as_ref(), BATCH, env.clock.now()).await?;
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
