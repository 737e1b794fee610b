//! Sends stored bytes and records the answer: the one way out to the chain.

use std::sync::Arc;

use async_trait::async_trait;
use chain::Broadcast;
use chrono::{DateTime, Utc};
use db::failpoint;
use domain::transactions::{Sent, record_accepted, record_answer};
use kernel::ChainTransactionId;

use crate::batch::{Batch, Batcher};
use crate::environment::{Environment, NetworkEnvironment};
use crate::error::WorkError;

/// Answers recorded at once, at most.
const BATCH: usize = 100;

/// The way out.
pub(crate) struct Sender {
    env: Arc<Environment>,
    accepted: Batcher<Accepted>,
}

impl Sender {
    /// A way out that records in this environment.
    pub(crate) fn new(env: Arc<Environment>) -> Self {
        let accepted = Batcher::start(Arc::new(Accepted(Arc::clone(&env))), BATCH);
        Self { env, accepted }
    }

    /// Sends, for the first time, what this process signed and committed just now: a refusal then proves that no node
    /// holds these bytes.
    pub(crate) async fn send_first(
        &self,
        network: &NetworkEnvironment,
        transaction: ChainTransactionId,
        raw: &[u8],
    ) -> Result<(), WorkError> {
        let answer = broadcast(network, raw).await;
        if answer == Broadcast::Accepted {
            let next_check_at = network.resend.next(0, self.env.clock.now());
            if self.accepted.submit((transaction, next_check_at)).await == Some(()) {
                return Ok(());
            }
        }
        self.record(network, transaction, &answer, true).await
    }

    /// Sends again what was sent before, or may have been.
    pub(crate) async fn send_again(
        &self,
        network: &NetworkEnvironment,
        transaction: ChainTransactionId,
        raw: &[u8],
    ) -> Result<(), WorkError> {
        let answer = broadcast(network, raw).await;
        self.record(network, transaction, &answer, false).await
    }

    async fn record(
        &self,
        network: &NetworkEnvironment,
        transaction: ChainTransactionId,
        answer: &Broadcast,
        first_send: bool,
    ) -> Result<(), WorkError> {
        let env = &self.env;
        let sent = Sent {
            transaction,
            answer,
            first_send,
        };
        let rules = (network.resend, &env.policy.death);
        let recorded = record_answer(&env.pool, env.ids.as_ref(), sent, rules, env.clock.now()).await?;
        env.push(recorded.wakes);
        Ok(())
    }
}

async fn broadcast(network: &NetworkEnvironment, raw: &[u8]) -> Broadcast {
    failpoint::reach("broadcast", "begin");
    let answer = network.chain.broadcast(raw).await;
    failpoint::reach("broadcast", "answered");
    answer
}

/// Records first sends that nodes took.
struct Accepted(Arc<Environment>);

#[async_trait]
impl Batch for Accepted {
    type Item = (ChainTransactionId, DateTime<Utc>);
    type Answer = ();

    async fn run(&self, accepted: Vec<Self::Item>) -> Vec<()> {
        match record_accepted(&self.0.pool, &accepted, self.0.clock.now()).await {
            Ok(_recorded) => {
                failpoint::reach("record_accepted", "committed");
                vec![(); accepted.len()]
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "answers are recorded one by one"
                );
                Vec::new()
            }
        }
    }
}
