//! Claim, sign, store, and the job is done, in one transaction. For several delegations at once where that is plain, so that
//! they share the commit; else for one.

use std::sync::Arc;

use ::jobs::{JobKind, RunningJob, complete_in_tx, complete_many_in_tx};
use async_trait::async_trait;
use db::models::IntentKind;
use db::{Conn, run_tx};
use domain::delegations::{Reclaim, ReclaimOfMany, Reclaiming, claim_reclaim_in_tx, claim_reclaims_in_tx};
use domain::transactions::{Intent, Signed, ToStore, store_in_tx};
use kernel::{ChainTransactionId, DelegationId, WalletId};

use crate::batch::{Batch, by_network};
use crate::environment::{Environment, NetworkEnvironment};
use crate::error::WorkError;
use crate::signer::{ToSign, sign_undelegate};

/// A delegation whose rental is over, as its job says.
#[derive(Clone)]
pub(super) struct ToReclaim {
    job: RunningJob,
    id: DelegationId,
    network: String,
}

impl ToReclaim {
    pub(super) fn new(job: &RunningJob, id: DelegationId, network: &str) -> Self {
        Self {
            job: job.clone(),
            id,
            network: network.to_owned(),
        }
    }
}

/// What the claim's transaction left to do after its commit.
pub(super) enum Next {
    Nothing,
    NotYet,
    Send(ChainTransactionId, Signed),
}

/// Claims delegations in this environment.
pub(super) struct Claims(pub(super) Arc<Environment>);

#[async_trait]
impl Batch for Claims {
    type Item = ToReclaim;
    /// `None`: not decided together, to be claimed alone.
    type Answer = Option<Result<Next, WorkError>>;

    async fn run(&self, all: Vec<ToReclaim>) -> Vec<Self::Answer> {
        // while one is claimed here, others gather for the next batch
        if let [one] = all.as_slice() {
            return vec![Some(self.alone(one).await)];
        }
        let (groups, mut answers) = by_network(all, |one: &ToReclaim| &one.network);
        for group in groups {
            let done = self.together(&group.network, &group.items).await;
            answers.put(&group, done);
        }
        answers.all()
    }
}

impl Claims {
    /// One delegation, with every case decided.
    pub(super) async fn alone(&self, one: &ToReclaim) -> Result<Next, WorkError> {
        let env = &self.0;
        let network = env.network(&one.network)?;
        let now = env.clock.now();
        let id = ChainTransactionId::new(env.ids.as_ref());
        run_tx(&env.pool, "claim_reclaim", async |conn| {
            let work = match claim_reclaim_in_tx(conn, one.id, now).await? {
                Reclaim::NothingToDo => return Ok(Next::Nothing),
                Reclaim::NotYet => return Ok(Next::NotYet),
                Reclaim::Claimed(work) => work,
            };
            let signed = self.sign(conn, network, &work).await?;
            store_in_tx(conn, &[to_store(&work, id, &signed)], (now, now + network.resend.after)).await?;
            complete_in_tx(conn, &one.job).await?;
            Ok(Next::Send(id, signed))
        })
        .await
    }

    /// Several delegations of one network, as far as that is plain.
    async fn together(&self, name: &str, all: &[ToReclaim]) -> Result<Vec<Option<Next>>, WorkError> {
        let env = &self.0;
        let network = env.network(name)?;
        let now = env.clock.now();
        let wanted: Vec<DelegationId> = all.iter().map(|one| one.id).collect();
        let ids: Vec<ChainTransactionId> = all.iter().map(|_| ChainTransactionId::new(env.ids.as_ref())).collect();
        run_tx(&env.pool, "claim_reclaims", async |conn| {
            let claims = claim_reclaims_in_tx(conn, name, &wanted, now).await?;
            let mut signed = Vec::with_capacity(claims.len());
            for claim in &claims {
                signed.push(match claim {
                    ReclaimOfMany::Claimed(work) => Some(self.sign(conn, network, work).await?),
                    ReclaimOfMany::NothingToDo | ReclaimOfMany::Alone => None,
                });
            }
            let mut stored = Vec::with_capacity(claims.len());
            let mut done = Vec::with_capacity(claims.len());
            for (((claim, signed), id), one) in claims.iter().zip(&signed).zip(&ids).zip(all) {
                if let (ReclaimOfMany::Claimed(work), Some(signed)) = (claim, signed) {
                    stored.push(to_store(work, *id, signed));
                    done.push(&one.job);
                }
            }
            if !stored.is_empty() {
                store_in_tx(conn, &stored, (now, now + network.resend.after)).await?;
                complete_many_in_tx(conn, JobKind::DelegationsReclaim, &done).await?;
            }
            let nexts = claims
                .iter()
                .zip(signed)
                .zip(&ids)
                .map(|((claim, signed), id)| match claim {
                    ReclaimOfMany::NothingToDo => Some(Next::Nothing),
                    _ => signed.map(|signed| Next::Send(*id, signed)),
                });
            Ok(nexts.collect())
        })
        .await
    }

    async fn sign(
        &self,
        conn: &mut Conn,
        network: &NetworkEnvironment,
        work: &Reclaiming,
    ) -> Result<Signed, WorkError> {
        let wallet = &work.wallet;
        let key = self.0.keys.signing(conn, wallet).await?;
        let to_sign = ToSign {
            wallet,
            receiver: &work.delegation.receiver,
            amount_sun: work.delegation.amount_sun,
            timestamp_ms: work.timestamp_ms,
            cursor: &work.cursor,
            expiry: network.expiry,
        };
        sign_undelegate(&to_sign, &key)
    }
}

fn to_store<'a>(work: &'a Reclaiming, id: ChainTransactionId, signed: &'a Signed) -> ToStore<'a> {
    ToStore {
        id,
        network: &work.delegation.network,
        intent: Intent {
            kind: IntentKind::Reclaim,
            id: work.delegation.id,
            wallet: WalletId(work.wallet.id),
        },
        signed,
    }
}
