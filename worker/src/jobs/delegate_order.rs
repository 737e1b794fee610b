//! `orders.delegate`: gives an order its energy. Signs and stores in one transaction, then sends, then records.

use std::sync::Arc;

use ::jobs::{RunningJob, complete_in_tx};
use async_trait::async_trait;
use chain::TronAddress;
use chrono::{DateTime, Utc};
use db::models::{ChainCursor, Order, OrderState, SupplierWallet};
use db::{Conn, acquire, run_tx};
use domain::delegations::{Claim, ClaimRequest, Claimed, claim_in_tx, signed_in_tx};
use domain::findings::{self, FindingKind};
use domain::transactions::Signed;
use domain::{orders, receivers};
use kernel::{ChainTransactionId, DelegationId, OrderId, WalletId};
use serde_json::json;

use super::object;
use crate::environment::{Environment, NetworkEnvironment};
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};
use crate::sender::send;
use crate::signer::{DELEGATION_BANDWIDTH, ToSign, address, sign_delegate, wallet_address};

/// The handler.
pub(crate) struct DelegateOrder(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for DelegateOrder {
    async fn run(&self, job: &RunningJob) -> Outcome {
        let result = self.deliver(job).await;
        if let Err(WorkError::Key { wallet, .. }) = &result {
            self.isolate(*wallet).await;
        }
        outcome(result)
    }
}

/// What the claim's transaction left to do after its commit.
enum Next {
    Nothing,
    Wait(&'static str, DateTime<Utc>),
    Send(ChainTransactionId, Signed),
}

impl DelegateOrder {
    async fn deliver(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let order = orders::find(&env.pool, OrderId(object(job)?)).await?;
        if order.state != OrderState::Pending {
            return Ok(Outcome::Done);
        }
        let network = env.network(&order.network)?;
        if !self.receiver_is_good(network, &order).await? {
            return Ok(Outcome::Done);
        }
        let Some(amount_sun) = self.stake_for(&order).await? else {
            return Ok(Outcome::Again {
                at: env.clock.now() + env.policy.retry_base,
                code: "market_unknown",
            });
        };
        match self.claim(job, &order, network, amount_sun).await? {
            Next::Nothing => Ok(Outcome::Done),
            Next::Wait(code, at) => Ok(Outcome::Again { at, code }),
            Next::Send(id, signed) => {
                send(env, network, id, &signed.raw, true).await?;
                Ok(Outcome::Done)
            }
        }
    }

    /// Asks the chain about a receiver that is not known to be good; one that cannot receive ends the order.
    async fn receiver_is_good(&self, network: &NetworkEnvironment, order: &Order) -> Result<bool, WorkError> {
        let env = &self.0;
        let now = env.clock.now();
        let mut conn = acquire(&env.pool).await?;
        if receivers::known(
            &mut conn,
            &order.network,
            &order.receiver,
            now - env.policy.receiver_ttl,
        )
        .await?
        {
            return Ok(true);
        }
        drop(conn); // no connection is held over the network call
        let receiver: TronAddress = address(&order.receiver)?;
        let verdict = receivers::verdict(network.chain.receiver(receiver).await?);
        receivers::remember(&env.pool, &order.network, &order.receiver, verdict, now).await?;
        let Some(reason) = receivers::refusal_code(verdict) else {
            return Ok(true);
        };
        run_tx(&env.pool, "refuse_receiver", async |conn| {
            let locked = Order::lock(conn, order.id).await?;
            if locked.is_some_and(|order| order.state == OrderState::Pending) {
                orders::fail_in_tx(conn, OrderId(order.id), OrderState::Pending, reason, now).await?;
            }
            Ok::<_, WorkError>(())
        })
        .await?;
        Ok(false)
    }

    /// The stake that gives the order's energy now, rounded up, with the margin; `None` before the first wallet sync.
    async fn stake_for(&self, order: &Order) -> Result<Option<i64>, WorkError> {
        let env = &self.0;
        let mut conn = acquire(&env.pool).await?;
        let Some(cursor) = ChainCursor::find(&mut conn, &order.network).await? else {
            return Ok(None);
        };
        if cursor.total_energy_limit <= 0 || cursor.total_energy_weight <= 0 {
            return Ok(None);
        }
        let market = chain::EnergyMarket {
            total_limit: cursor.total_energy_limit,
            total_weight: cursor.total_energy_weight,
        };
        Ok(Some(tron::sun_for_energy_with_margin(
            order.energy,
            env.policy.stake_margin_bps,
            market,
        )?))
    }

    /// Transaction A: claim, reserve, sign, store, and the job is done.
    async fn claim(
        &self,
        job: &RunningJob,
        order: &Order,
        network: &NetworkEnvironment,
        amount_sun: i64,
    ) -> Result<Next, WorkError> {
        let env = &self.0;
        let now = env.clock.now();
        let ids = env.ids.as_ref();
        let id = ChainTransactionId::new(ids);
        let request = ClaimRequest {
            order: OrderId(order.id),
            delegation: DelegationId::new(ids),
            amount_sun,
            bandwidth: DELEGATION_BANDWIDTH.max(env.policy.min_bandwidth),
            now,
        };
        run_tx(&env.pool, "claim_order", async |conn| {
            let claimed = match claim_in_tx(conn, ids, &request).await? {
                Claim::NotPending | Claim::PastDeadline => return Ok(Next::Nothing),
                Claim::ChainNotCurrent => return Ok(Next::Wait("chain_not_current", now + env.policy.retry_base)),
                Claim::NoWalletFits => return Ok(Next::Wait("no_wallet_fits", self.patience(order, now))),
                Claim::Claimed(claimed) => claimed,
            };
            let signed = self.sign(conn, &claimed, network).await?;
            let next_check = now + network.resend.after;
            signed_in_tx(conn, &claimed, id, &signed, (now, next_check)).await?;
            complete_in_tx(conn, job).await?;
            Ok(Next::Send(id, signed))
        })
        .await
    }

    async fn sign(
        &self,
        conn: &mut Conn,
        claimed: &Claimed,
        network: &NetworkEnvironment,
    ) -> Result<Signed, WorkError> {
        let wallet = &claimed.wallet;
        let key = self
            .0
            .keys
            .signing(conn, WalletId(wallet.id), wallet_address(wallet)?)
            .await?;
        let work = ToSign {
            wallet,
            receiver: &claimed.order.receiver,
            amount_sun: claimed.amount_sun,
            timestamp_ms: claimed.timestamp_ms,
            cursor: &claimed.cursor,
            expiry: network.expiry,
        };
        sign_delegate(&work, &key)
    }

    /// The older an order, the longer the pause: a quarter of its age, within bounds, and not past its deadline.
    fn patience(&self, order: &Order, now: DateTime<Utc>) -> DateTime<Utc> {
        let policy = &self.0.policy;
        let pause = ((now - order.created_at) / 4).clamp(policy.retry_base, policy.retry_max);
        (now + pause).min(order.deadline_at.max(now))
    }

    /// A wallet whose key cannot be used gets no more orders; the job is tried again with another.
    async fn isolate(&self, wallet: uuid::Uuid) {
        let env = &self.0;
        let now = env.clock.now();
        let done = run_tx(&env.pool, "isolate_wallet", async |conn| {
            let reason = "its key cannot be opened";
            if SupplierWallet::isolate(conn, wallet, reason, now).await? {
                let subject = format!("wallet:{wallet}");
                let detail = json!({ "reason": reason });
                findings::record_in_tx(
                    conn,
                    env.ids.as_ref(),
                    FindingKind::WalletIsolated,
                    &subject,
                    detail,
                    now,
                )
                .await?;
            }
            Ok::<_, WorkError>(())
        })
        .await;
        if let Err(error) = done {
            tracing::error!(%wallet, error = &error as &dyn std::error::Error, "a wallet could not be isolated");
        }
    }
}
