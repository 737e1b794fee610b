//! Sends stored bytes and records the answer: the one way out to the chain.

use db::failpoint;
use kernel::ChainTransactionId;

use domain::transactions::{Sent, record_answer};

use crate::environment::{Environment, NetworkEnvironment};
use crate::error::WorkError;

/// Sends what is committed already. `first_send` is said only by the process that signed it, right after that commit: a
/// refusal then proves that no node holds these bytes.
pub(crate) async fn send(
    env: &Environment,
    network: &NetworkEnvironment,
    transaction: ChainTransactionId,
    raw: &[u8],
    first_send: bool,
) -> Result<(), WorkError> {
    failpoint::reach("broadcast", "begin");
    let answer = network.chain.broadcast(raw).await;
    failpoint::reach("broadcast", "answered");
    let sent = Sent {
        transaction,
        answer: &answer,
        first_send,
    };
    let rules = (network.resend, &env.policy.death);
    let recorded = record_answer(&env.pool, env.ids.as_ref(), sent, rules, env.clock.now()).await?;
    env.push(recorded.wakes);
    Ok(())
}
