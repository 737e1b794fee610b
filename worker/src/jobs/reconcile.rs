//! `operations.reconcile`: the proofs. Its object names one: `books` alone, or by the chain what wallets `lent` and what our
//! addresses hold (`holdings`).

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use db::run_tx;
use domain::{DomainError, reconcile};

use super::{compare_holdings, compare_lent};
use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// The object id of the comparison of what wallets lend with the chain.
pub(crate) const LENT: &str = "lent";

/// The object id of the comparison of what lies at our addresses with what customers paid in.
pub(crate) const HOLDINGS: &str = "holdings";

/// The handler.
pub(crate) struct Reconcile(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for Reconcile {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(match job.object_id.as_str() {
            LENT => compare_lent::run(&self.0).await,
            HOLDINGS => compare_holdings::run(&self.0).await,
            _ => self.reconcile().await,
        })
    }
}

impl Reconcile {
    async fn reconcile(&self) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let now = env.clock.now();
        // before the proofs, which may take all the time that there is
        let kept = run_tx(&env.pool, "checkpoint_ledger", async |conn| {
            ledger::checkpoint_in_tx(conn, now).await.map_err(DomainError::from)
        })
        .await;
        let (report, proved) = reconcile::run(&env.pool, env.ids.as_ref(), now).await;
        if report.findings > 0 || report.requeued > 0 {
            tracing::warn!(
                findings = report.findings,
                requeued = report.requeued,
                "reconciliation found differences"
            );
        }
        env.push(report.wakes);
        kept?;
        proved?;
        Ok(Outcome::Done)
    }
}
