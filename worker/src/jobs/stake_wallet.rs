//! `wallets.stake`: stakes coin of a supplier wallet, or undoes that, through the same sign-store-send machine. The chain is read
//! first: what it would refuse is not signed.

use std::sync::Arc;

use ::jobs::{RunningJob, complete_in_tx};
use async_trait::async_trait;
use db::run_tx;
use domain::stakings::{
    SignedStake, StakeClaim, StakeFacts, StakeWork, ToStake, claim_stake_in_tx, stake_signed_in_tx, to_stake,
};
use domain::transactions::Signed;
use kernel::{ChainTransactionId, StakingId};

use super::object;
use crate::environment::{Environment, NetworkEnvironment};
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};
use crate::sender::Sender;
use crate::signer::{ToSign, sign_stake, wallet_address};

/// The handler.
pub(crate) struct StakeWallet(pub(crate) Arc<Environment>, pub(crate) Arc<Sender>);

#[async_trait]
impl Handler for StakeWallet {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.stake(job).await)
    }
}

/// What the claim's transaction left to do after its commit.
enum Next {
    Nothing,
    Wait(&'static str),
    Send(ChainTransactionId, Signed),
}

impl StakeWallet {
    async fn stake(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let id = StakingId(object(job)?);
        let Some(work) = to_stake(&env.pool, id).await? else {
            return Ok(Outcome::Done);
        };
        let network = env.network(&work.staking.network)?;
        let snapshot = network.chain.wallet_snapshot(wallet_address(&work.wallet)?).await?;
        let facts = StakeFacts::of(&snapshot, work.head_time);
        match self.claim(job, &work, (&facts, snapshot.as_of_block), network).await? {
            Next::Nothing => Ok(Outcome::Done),
            Next::Wait(code) => Ok(Outcome::Again {
                at: env.clock.now() + env.policy.stake_retry,
                code,
            }),
            Next::Send(id, signed) => {
                self.1.send_first(network, id, &signed.raw).await?;
                Ok(Outcome::Completed)
            }
        }
    }

    /// Claim, sign, store, and the job is done, in one transaction.
    async fn claim(
        &self,
        job: &RunningJob,
        work: &StakeWork,
        (facts, as_of_block): (&StakeFacts, i64),
        network: &NetworkEnvironment,
    ) -> Result<Next, WorkError> {
        let env = &self.0;
        let now = env.clock.now();
        let id = ChainTransactionId::new(env.ids.as_ref());
        let to = ToStake {
            staking: StakingId(work.staking.id),
            facts,
            as_of_block,
            rules: &env.policy.stake.rules,
        };
        run_tx(&env.pool, "claim_stake", async |conn| {
            let claimed = match claim_stake_in_tx(conn, env.ids.as_ref(), &to, now).await? {
                StakeClaim::NothingToDo => return Ok(Next::Nothing),
                StakeClaim::Wait(code) => return Ok(Next::Wait(code)),
                StakeClaim::Failed(code) => {
                    tracing::warn!(staking = %work.staking.id, code, "a staking cannot be signed");
                    return Ok(Next::Nothing);
                }
                StakeClaim::Claimed(claimed) => claimed,
            };
            let (wallet, staking) = (&claimed.wallet, &claimed.staking);
            let address = wallet_address(wallet)?;
            let key = env.keys.signing(conn, wallet).await?;
            let to_sign = ToSign {
                wallet,
                receiver: &address.to_string(),
                amount_sun: staking.amount_sun.unwrap_or(0),
                timestamp_ms: claimed.timestamp_ms,
                cursor: &claimed.cursor,
                expiry: network.expiry,
            };
            let signed = sign_stake(&to_sign, staking, &key)?;
            let new = SignedStake {
                claimed: &claimed,
                id,
                signed: &signed,
            };
            stake_signed_in_tx(conn, &new, (now, now + network.resend.after)).await?;
            complete_in_tx(conn, job).await?;
            Ok(Next::Send(id, signed))
        })
        .await
    }
}
