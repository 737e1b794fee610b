//! Transaction A of a delivery: claim, reserve, sign, store, and the job is done. For several orders at once where that is
//! plain, so that they share the commit; else for one.

use std::sync::Arc;

use ::jobs::{JobKind, RunningJob, complete_in_tx, complete_many_in_tx};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use db::models::Order;
use db::{Conn, run_tx};
use domain::delegations::choice::SplitLimits;
use domain::delegations::{
    Claim, ClaimOfMany, ClaimRequest, Claimed, SignedClaim, claim_in_tx, claim_many_in_tx, end_incomplete, signed_in_tx,
};
use domain::transactions::Signed;
use kernel::{ChainTransactionId, DelegationId, OrderId};
use tron::PrivateKey;

use crate::batch::{Batch, by_network};
use crate::environment::{Environment, NetworkEnvironment};
use crate::error::WorkError;
use crate::signer::{DELEGATION_BANDWIDTH, ToSign, sign_delegate};

/// An order whose receiver is good and whose stake is known.
#[derive(Clone)]
pub(super) struct ToClaim {
    job: RunningJob,
    order: Order,
    stake: Stake,
}

/// What is missing of an order, and the stake that gives it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stake {
    pub(super) energy: i64,
    pub(super) amount_sun: i64,
    /// The least stake of one wallet where several share.
    pub(super) least_part_sun: i64,
}

impl ToClaim {
    pub(super) fn new(job: &RunningJob, order: Order, stake: Stake) -> Self {
        let job = job.clone();
        Self { job, order, stake }
    }
}

/// What the claim's transaction left to do after its commit.
pub(super) enum Next {
    Nothing,
    Wait(&'static str, DateTime<Utc>),
    /// One for each wallet that shares the order.
    Send(Vec<(ChainTransactionId, Signed)>),
}

/// Pause while the watcher is behind: the next blocks may be applied within a moment.
const CATCH_UP: TimeDelta = TimeDelta::milliseconds(500);

/// Claims orders in this environment.
pub(super) struct Claims(pub(super) Arc<Environment>);

#[async_trait]
impl Batch for Claims {
    type Item = ToClaim;
    /// `None`: not decided together, to be claimed alone.
    type Answer = Option<Result<Next, WorkError>>;

    async fn run(&self, orders: Vec<ToClaim>) -> Vec<Self::Answer> {
        // while one is claimed here, others gather for the next batch
        if let [order] = orders.as_slice() {
            return vec![Some(self.alone(order).await)];
        }
        let (groups, mut answers) = by_network(orders, |order: &ToClaim| &order.order.network);
        for group in groups {
            let done = self.together(&group.network, &group.items).await;
            answers.put(&group, done);
        }
        answers.all()
    }
}

impl Claims {
    /// One order, with every case decided.
    pub(super) async fn alone(&self, order: &ToClaim) -> Result<Next, WorkError> {
        let env = &self.0;
        let network = env.network(&order.order.network)?;
        let now = env.clock.now();
        let ids = env.ids.as_ref();
        let request = self.request(order, now);
        let next = run_tx(&env.pool, "claim_order", async |conn| {
            let claimed = match claim_in_tx(conn, ids, &request).await? {
                Claim::NotPending | Claim::PastDeadline => return Ok(Some(Next::Nothing)),
                Claim::Incomplete => return Ok(None),
                Claim::Changed => return Ok(Some(Next::Wait("parts_changed", now))),
                Claim::ChainNotCurrent => return Ok(Some(Next::Wait("chain_not_current", now + CATCH_UP))),
                Claim::NoWalletFits => {
                    let at = self.patience(&order.order, now);
                    return Ok(Some(Next::Wait("no_wallet_fits", at)));
                }
                Claim::Claimed(claimed) => claimed,
            };
            let mut all = Vec::with_capacity(claimed.len());
            for claimed in &claimed {
                let key = self.key(conn, claimed).await?;
                all.push((ChainTransactionId::new(ids), sign(claimed, network, &key)?));
            }
            let stored: Vec<SignedClaim<'_>> = claimed
                .iter()
                .zip(&all)
                .map(|(claimed, (id, signed))| SignedClaim {
                    claimed,
                    id: *id,
                    signed,
                })
                .collect();
            signed_in_tx(conn, &stored, (now, now + network.resend.after)).await?;
            complete_in_tx(conn, &order.job).await?;
            Ok::<_, WorkError>(Some(Next::Send(all)))
        });
        if let Some(next) = next.await? {
            return Ok(next);
        }
        end_incomplete(&env.pool, ids, (OrderId(order.order.id), None), now).await?;
        Ok(Next::Nothing)
    }

    /// Several orders of one network, as far as that is plain.
    async fn together(&self, name: &str, orders: &[ToClaim]) -> Result<Vec<Option<Next>>, WorkError> {
        let env = &self.0;
        let network = env.network(name)?;
        let now = env.clock.now();
        let requests: Vec<ClaimRequest> = orders.iter().map(|order| self.request(order, now)).collect();
        let ids: Vec<ChainTransactionId> = orders
            .iter()
            .map(|_| ChainTransactionId::new(env.ids.as_ref()))
            .collect();
        run_tx(&env.pool, "claim_orders", async |conn| {
            let claims = claim_many_in_tx(conn, name, &requests).await?;
            let mut signed = Vec::with_capacity(claims.len());
            for claim in &claims {
                signed.push(match claim {
                    ClaimOfMany::Claimed(claimed) => {
                        let key = self.key(conn, claimed).await?;
                        Some(sign(claimed, network, &key)?)
                    }
                    ClaimOfMany::NotPending | ClaimOfMany::Alone => None,
                });
            }
            let mut stored = Vec::with_capacity(claims.len());
            let mut done = Vec::with_capacity(claims.len());
            for (((claim, signed), id), order) in claims.iter().zip(&signed).zip(&ids).zip(orders) {
                if let (ClaimOfMany::Claimed(claimed), Some(signed)) = (claim, signed) {
                    stored.push(SignedClaim {
                        claimed,
                        id: *id,
                        signed,
                    });
                    done.push(&order.job);
                }
            }
            if !stored.is_empty() {
                signed_in_tx(conn, &stored, (now, now + network.resend.after)).await?;
                complete_many_in_tx(conn, JobKind::OrdersDelegate, &done).await?;
            }
            let nexts = claims
                .iter()
                .zip(signed)
                .zip(&ids)
                .map(|((claim, signed), id)| match claim {
                    ClaimOfMany::NotPending => Some(Next::Nothing),
                    _ => signed.map(|signed| Next::Send(vec![(*id, signed)])),
                });
            Ok(nexts.collect())
        })
        .await
    }

    fn request(&self, order: &ToClaim, now: DateTime<Utc>) -> ClaimRequest {
        let rules = self.0.rules();
        ClaimRequest {
            order: OrderId(order.order.id),
            delegation: DelegationId::new(self.0.ids.as_ref()),
            energy: order.stake.energy,
            amount_sun: order.stake.amount_sun,
            bandwidth: DELEGATION_BANDWIDTH.max(rules.min_bandwidth),
            split: SplitLimits {
                max_parts: rules.max_parts,
                min_part_sun: order.stake.least_part_sun,
            },
            now,
        }
    }

    async fn key(&self, conn: &mut Conn, claimed: &Claimed) -> Result<Arc<PrivateKey>, WorkError> {
        self.0.keys.signing(conn, &claimed.wallet).await
    }

    /// The older an order, the longer the pause: a quarter of its age, within bounds, and not past its deadline.
    fn patience(&self, order: &Order, now: DateTime<Utc>) -> DateTime<Utc> {
        let policy = &self.0.policy;
        let pause = ((now - order.created_at) / 4).clamp(policy.retry_base, policy.retry_max);
        (now + pause).min(order.deadline_at.max(now))
    }
}

fn sign(claimed: &Claimed, network: &NetworkEnvironment, key: &PrivateKey) -> Result<Signed, WorkError> {
    let work = ToSign {
        wallet: &claimed.wallet,
        receiver: &claimed.order.receiver,
        amount_sun: claimed.amount_sun,
        timestamp_ms: claimed.timestamp_ms,
        cursor: &claimed.cursor,
        expiry: network.expiry,
    };
    sign_delegate(&work, key)
}
