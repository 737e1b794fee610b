//! `deposits.confirm`: looks for a transaction that somebody says he paid with, and reads its block whole.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use chain::TxId;
use chrono::Duration;
use domain::deposits::{read_again, solid_number};

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// How often a transaction is looked for that no solidified block carries. One that lands later is seen by the watcher.
const LOOKS: u32 = 12;
/// Pause between two looks: all of them outlast the time that a block needs to become solid.
const PAUSE: Duration = Duration::seconds(15);

/// The handler.
pub(crate) struct ConfirmDeposit(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for ConfirmDeposit {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.look(job).await)
    }
}

impl ConfirmDeposit {
    async fn look(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let broken = || WorkError::Broken(format!("{:?} is no transaction of a network", job.object_id));
        let (network, txid) = job.object_id.split_once(':').ok_or_else(broken)?;
        let txid: TxId = txid.parse().map_err(|_| broken())?;
        let env = &self.0;
        let chain = &*env.network(network)?.chain;
        let Some(found) = chain.solid_inclusion(txid).await? else {
            return Ok(self.later(job));
        };
        // what we have not read so far is recorded when we get there
        if found.block_number > solid_number(&env.pool, network).await? {
            return Ok(self.later(job));
        }
        let blocks = chain.solid_blocks(found.block_number, found.block_number).await?;
        let asked = (blocks.as_slice(), Some(txid));
        let read = read_again(&env.pool, env.ids.as_ref(), network, asked, env.clock.now()).await?;
        tracing::info!(network, %txid, block = found.block_number, recorded = read.recorded, "a named transaction was read");
        env.push(read.wakes);
        Ok(Outcome::Done)
    }

    fn later(&self, job: &RunningJob) -> Outcome {
        if job.runs >= LOOKS {
            return Outcome::Done;
        }
        Outcome::RetryAt {
            at: self.0.clock.now() + PAUSE,
            code: "not_solid_yet",
            message: "no solidified block that we have read carries it".to_owned(),
        }
    }
}
