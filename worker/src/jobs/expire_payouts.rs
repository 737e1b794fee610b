//! `payouts.expire`: gives back the payouts that nobody has decided about in time.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use domain::payouts::expire_undecided;

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// Payouts of one run; the next run sees to more.
const AT_ONCE: i64 = 200;

/// The handler.
pub(crate) struct ExpirePayouts(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for ExpirePayouts {
    async fn run(&self, _job: &RunningJob) -> Outcome {
        outcome(self.expire().await)
    }
}

impl ExpirePayouts {
    async fn expire(&self) -> Result<Outcome, WorkError> {
        let (env, now) = (&self.0, self.0.clock.now());
        let before = now - env.policy.payout_approval;
        let ended = expire_undecided(&env.pool, env.ids.as_ref(), (before, AT_ONCE), now).await?;
        if ended > 0 {
            tracing::warn!(payouts = ended, "payouts that nobody decided about were given back");
        }
        Ok(Outcome::Done)
    }
}
