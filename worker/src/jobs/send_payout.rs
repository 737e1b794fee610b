//! `payouts.send`: pays a user's money to an address, through the same sign-store-send machine.

use std::sync::Arc;

use ::jobs::{RunningJob, Wake, complete_in_tx};
use async_trait::async_trait;
use chain::Receiver;
use db::models::{Payout, PayoutState};
use db::run_tx;
use domain::payouts::{
    PayoutClaim, PayoutClaimed, SignedPayout, claim_payout_in_tx, fail_unsendable, find, payout_signed_in_tx,
};
use domain::transactions::Signed;
use kernel::{Asset, ChainTransactionId, PayoutId};

use super::object;
use crate::environment::{Environment, NetworkEnvironment};
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};
use crate::sender::Sender;
use crate::signer::{ToSign, TokenCall, address, sign_transfer};

/// The handler.
pub(crate) struct SendPayout(pub(crate) Arc<Environment>, pub(crate) Arc<Sender>);

#[async_trait]
impl Handler for SendPayout {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.pay(job).await)
    }
}

enum Next {
    Nothing,
    Wait(&'static str, Vec<Wake>),
    Send(ChainTransactionId, Signed),
}

impl SendPayout {
    async fn pay(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let payout = find(&env.pool, PayoutId(object(job)?)).await?;
        let network = env.network(&payout.network)?;
        if payout.state == PayoutState::Approved && is_unsendable(&payout, network).await? {
            let now = env.clock.now();
            fail_unsendable(&env.pool, env.ids.as_ref(), PayoutId(payout.id), "to_is_contract", now).await?;
            return Ok(Outcome::Done);
        }
        match self.claim(job, PayoutId(payout.id), network).await? {
            Next::Nothing => Ok(Outcome::Done),
            Next::Wait(code, wakes) => {
                env.push(wakes);
                Ok(Outcome::Again {
                    at: env.clock.now() + env.policy.payout_retry,
                    code,
                })
            }
            Next::Send(id, signed) => {
                self.1.send_first(network, id, &signed.raw).await?;
                Ok(Outcome::Completed)
            }
        }
    }

    /// Claim, sign, store, and the job is done, in one transaction.
    async fn claim(&self, job: &RunningJob, payout: PayoutId, network: &NetworkEnvironment) -> Result<Next, WorkError> {
        let env = &self.0;
        let now = env.clock.now();
        let id = ChainTransactionId::new(env.ids.as_ref());
        run_tx(&env.pool, "claim_payout", async |conn| {
            let rules = &env.policy.treasury;
            let claimed = match claim_payout_in_tx(conn, env.ids.as_ref(), payout, rules, now).await? {
                PayoutClaim::NothingToDo => return Ok(Next::Nothing),
                PayoutClaim::Wait { code, wakes } => return Ok(Next::Wait(code, wakes)),
                PayoutClaim::Claimed(claimed) => claimed,
            };
            let wallet = &claimed.wallet;
            let key = env.keys.signing(conn, wallet).await?;
            let token = self.token(&claimed, network)?;
            let to_sign = ToSign {
                wallet,
                receiver: &claimed.payout.to_address,
                amount_sun: claimed.payout.amount,
                timestamp_ms: claimed.timestamp_ms,
                cursor: &claimed.cursor,
                expiry: network.expiry,
            };
            let signed = sign_transfer(&to_sign, token, &key)?;
            let new = SignedPayout {
                claimed: &claimed,
                id,
                signed: &signed,
            };
            payout_signed_in_tx(conn, &new, (now, now + network.resend.after)).await?;
            complete_in_tx(conn, job).await?;
            Ok(Next::Send(id, signed))
        })
        .await
    }

    /// The contract to call; `None` for the coin itself.
    fn token(&self, claimed: &PayoutClaimed, network: &NetworkEnvironment) -> Result<Option<TokenCall>, WorkError> {
        if claimed.asset == Asset::Trx {
            return Ok(None);
        }
        let missing = || WorkError::Broken(format!("no contract of {} is configured", claimed.asset));
        Ok(Some(TokenCall {
            contract: network.usdt.ok_or_else(missing)?,
            fee_limit_sun: self.0.policy.treasury.token_fee_limit_sun,
        }))
    }
}

/// Nodes refuse coin for a contract, every time. A token may go to one.
async fn is_unsendable(payout: &Payout, network: &NetworkEnvironment) -> Result<bool, WorkError> {
    if payout.asset != Asset::Trx.code() {
        return Ok(false);
    }
    let kind = network.chain.receiver(address(&payout.to_address)?).await?;
    Ok(kind == Receiver::Contract)
}
