//! `delegations.reclaim`: takes the energy of an ended rental back, through the same sign-store-send machine.

mod claims;

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use chrono::Duration;
use db::acquire;
use db::models::Delegation;
use kernel::DelegationId;

use self::claims::{Claims, Next, ToReclaim};
use super::object;
use crate::batch::Batcher;
use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};
use crate::sender::Sender;

/// Delegations claimed in one transaction, at most.
const BATCH: usize = 64;

/// The handler.
pub(crate) struct ReclaimDelegation {
    env: Arc<Environment>,
    sender: Arc<Sender>,
    claims: Arc<Claims>,
    together: Batcher<Claims>,
}

#[async_trait]
impl Handler for ReclaimDelegation {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.reclaim(job).await)
    }
}

impl ReclaimDelegation {
    /// A handler that sends by this way.
    pub(crate) fn new(env: Arc<Environment>, sender: Arc<Sender>) -> Self {
        let claims = Arc::new(Claims(Arc::clone(&env)));
        let together = Batcher::start(Arc::clone(&claims), BATCH);
        Self {
            env,
            sender,
            claims,
            together,
        }
    }

    async fn reclaim(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.env;
        let id = DelegationId(object(job)?);
        let network = {
            let mut conn = acquire(&env.pool).await?;
            let row = Delegation::find(&mut conn, id.0).await?;
            row.ok_or(domain::DomainError::NotFound("delegation"))?.network
        };
        let work = ToReclaim::new(job, id, &network);
        match self.claim(work).await? {
            Next::Nothing => Ok(Outcome::Done),
            Next::NotYet => Ok(Outcome::Again {
                at: env.clock.now() + Duration::seconds(3),
                code: "not_yet",
            }),
            Next::Send(id, signed) => {
                self.sender.send_first(env.network(&network)?, id, &signed.raw).await?;
                Ok(Outcome::Completed)
            }
        }
    }

    /// With others that are due now, or alone where that does not decide it.
    async fn claim(&self, work: ToReclaim) -> Result<Next, WorkError> {
        match self.together.submit(work.clone()).await.flatten() {
            Some(claimed) => claimed,
            None => self.claims.alone(&work).await,
        }
    }
}
