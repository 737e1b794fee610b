//! `operations.reconcile`: the proofs over the books.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use db::run_tx;
use domain::{DomainError, reconcile};

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// The handler.
pub(crate) struct Reconcile(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for Reconcile {
    async fn run(&self, _: &RunningJob) -> Outcome {
        outcome(self.reconcile().await)
    }
}

impl Reconcile {
    async fn reconcile(&self) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let now = env.clock.now();
        let report = reconcile::run(&env.pool, env.ids.as_ref(), now).await?;
        if report.findings > 0 || report.requeued > 0 {
            tracing::warn!(
                findings = report.findings,
                requeued = report.requeued,
                "reconciliation found differences"
            );
        }
        env.push(report.wakes);
        run_tx(&env.pool, "checkpoint_ledger", async |conn| {
            ledger::checkpoint_in_tx(conn, now).await.map_err(DomainError::from)
        })
        .await?;
        Ok(Outcome::Done)
    }
}
