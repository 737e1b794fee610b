//! `delegations.reclaim`: takes the energy of an ended rental back, through the same sign-store-send machine.

use std::sync::Arc;

use ::jobs::{RunningJob, complete_in_tx};
use async_trait::async_trait;
use chrono::Duration;
use db::models::{Delegation, IntentKind};
use db::{acquire, run_tx};
use domain::delegations::{Reclaim, Reclaiming, claim_reclaim_in_tx};
use domain::transactions::{Intent, Signed, ToStore, store_in_tx};
use kernel::{ChainTransactionId, DelegationId, WalletId};

use super::object;
use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};
use crate::sender::Sender;
use crate::signer::{ToSign, sign_undelegate, wallet_address};

/// The handler.
pub(crate) struct ReclaimDelegation(pub(crate) Arc<Environment>, pub(crate) Arc<Sender>);

#[async_trait]
impl Handler for ReclaimDelegation {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.reclaim(job).await)
    }
}

enum Next {
    Nothing,
    NotYet,
    Send(ChainTransactionId, Signed),
}

impl ReclaimDelegation {
    async fn reclaim(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let delegation = DelegationId(object(job)?);
        let network = {
            let mut conn = acquire(&env.pool).await?;
            let row = Delegation::find(&mut conn, delegation.0).await?;
            row.ok_or(domain::DomainError::NotFound("delegation"))?.network
        };
        let network = env.network(&network)?;
        match self.claim(job, delegation).await? {
            Next::Nothing => Ok(Outcome::Done),
            Next::NotYet => Ok(Outcome::Again {
                at: env.clock.now() + Duration::seconds(3),
                code: "not_yet",
            }),
            Next::Send(id, signed) => {
                self.1.send_first(network, id, &signed.raw).await?;
                Ok(Outcome::Completed)
            }
        }
    }

    /// Claim, sign, store, and the job is done, in one transaction.
    async fn claim(&self, job: &RunningJob, delegation: DelegationId) -> Result<Next, WorkError> {
        let env = &self.0;
        let now = env.clock.now();
        let id = ChainTransactionId::new(env.ids.as_ref());
        run_tx(&env.pool, "claim_reclaim", async |conn| {
            let work = match claim_reclaim_in_tx(conn, delegation, now).await? {
                Reclaim::NothingToDo => return Ok(Next::Nothing),
                Reclaim::NotYet => return Ok(Next::NotYet),
                Reclaim::Claimed(work) => work,
            };
            let Reclaiming {
                delegation: row,
                wallet,
                timestamp_ms,
                cursor,
            } = &*work;
            let network = env.network(&row.network)?;
            let key = env
                .keys
                .signing(conn, WalletId(wallet.id), wallet_address(wallet)?)
                .await?;
            let to_sign = ToSign {
                wallet,
                receiver: &row.receiver,
                amount_sun: row.amount_sun,
                timestamp_ms: *timestamp_ms,
                cursor,
                expiry: network.expiry,
            };
            let signed = sign_undelegate(&to_sign, &key)?;
            let intent = Intent {
                kind: IntentKind::Reclaim,
                id: delegation.0,
                wallet: WalletId(wallet.id),
            };
            let next_check = now + network.resend.after;
            let new = ToStore {
                id,
                network: &row.network,
                intent,
                signed: &signed,
            };
            store_in_tx(conn, &[new], (now, next_check)).await?;
            complete_in_tx(conn, job).await?;
            Ok(Next::Send(id, signed))
        })
        .await
    }
}
