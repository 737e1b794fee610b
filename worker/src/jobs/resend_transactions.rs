//! `chain.resend_transactions`: sends again what no block has shown, and buries what can never land.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use chrono::Duration;
use db::models::{ChainCursor, ChainTransaction};
use db::{acquire, run_tx};
use domain::transactions::{bury_if_expired, missed};
use futures::StreamExt;
use kernel::ChainTransactionId;

use crate::environment::{Environment, NetworkEnvironment};
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};
use crate::sender::Sender;

/// Transactions looked at in one round; rounds follow one another while they are full.
const BATCH: i64 = 100;
/// Rounds of one run, well within its timeout.
const ROUNDS: usize = 10;
/// Node calls in flight.
const IN_FLIGHT: usize = 8;

/// The handler.
pub(crate) struct ResendTransactions(pub(crate) Arc<Environment>, pub(crate) Arc<Sender>);

#[async_trait]
impl Handler for ResendTransactions {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.resend(&job.object_id).await)
    }
}

impl ResendTransactions {
    async fn resend(&self, name: &str) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let network = env.network(name)?;
        for _ in 0..ROUNDS {
            let now = env.clock.now();
            // whoever claims a row moves its next look away: two workers do not send the same bytes at once
            let claimed = run_tx(&env.pool, "claim_to_resend", async |conn| {
                let next = now + Duration::seconds(30);
                Ok::<_, WorkError>(ChainTransaction::claim_to_check(conn, name, now, next, BATCH).await?)
            })
            .await?;
            let cursor = {
                let mut conn = acquire(&env.pool).await?;
                ChainCursor::find(&mut conn, name)
                    .await?
                    .ok_or(domain::DomainError::NotFound("network"))?
            };
            let full = i64::try_from(claimed.len()).unwrap_or(BATCH) == BATCH;
            let results: Vec<Result<(), WorkError>> = futures::stream::iter(claimed)
                .map(|transaction| self.look_at(network, &cursor, transaction))
                .buffer_unordered(IN_FLIGHT)
                .collect()
                .await;
            results.into_iter().collect::<Result<(), WorkError>>()?;
            if !full {
                return Ok(Outcome::Done);
            }
        }
        Ok(Outcome::Again {
            at: env.clock.now(),
            code: "more",
        })
    }

    async fn look_at(
        &self,
        network: &NetworkEnvironment,
        cursor: &ChainCursor,
        transaction: ChainTransaction,
    ) -> Result<(), WorkError> {
        if transaction.expires_at <= cursor.solid_time {
            return self.bury(network, &transaction).await;
        }
        if transaction.expires_at <= cursor.head_time {
            return Ok(()); // no block will take it; once the solidified head is past it, it is proven dead
        }
        let id = ChainTransactionId(transaction.id);
        self.1.send_again(network, id, &transaction.raw).await
    }

    /// Our own blocks prove the death; a node is asked all the same, since a block may have been read from a liar.
    async fn bury(&self, network: &NetworkEnvironment, transaction: &ChainTransaction) -> Result<(), WorkError> {
        let env = &self.0;
        let (now, id) = (env.clock.now(), ChainTransactionId(transaction.id));
        let txid = transaction
            .txid
            .parse()
            .map_err(|_| WorkError::Broken("a stored txid".into()))?;
        if let Some(found) = network.chain.solid_inclusion(txid).await? {
            return Ok(missed(&env.pool, env.ids.as_ref(), id, found.block_number, now).await?);
        }
        let recorded = bury_if_expired(&env.pool, env.ids.as_ref(), id, &env.policy.death, now).await?;
        env.push(recorded.wakes);
        Ok(())
    }
}
