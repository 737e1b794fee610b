//! `orders.delegate`: gives an order its energy. Signs and stores in one transaction, then sends, then records.

mod claims;

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use chain::{EnergyMarket, TronAddress};
use db::models::{Order, OrderState, ToDeliver};
use db::run_tx;
use domain::wallets::isolate_in_tx;
use domain::{orders, receivers};
use kernel::OrderId;

use self::claims::{Claims, Next, ToClaim};
use super::object;
use crate::batch::Batcher;
use crate::environment::{Environment, NetworkEnvironment};
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};
use crate::sender::Sender;
use crate::signer::address;

/// Orders claimed in one transaction, at most.
const BATCH: usize = 64;

/// The handler.
pub(crate) struct DelegateOrder {
    env: Arc<Environment>,
    sender: Arc<Sender>,
    claims: Arc<Claims>,
    together: Batcher<Claims>,
}

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

impl DelegateOrder {
    /// A handler that sends by this way.
    pub(crate) fn new(env: Arc<Environment>, sender: Arc<Sender>) -> Self {
        let claims = Arc::new(Claims(Arc::clone(&env)));
        let together = Batcher::start(Arc::clone(&claims), BATCH);
        Self {
            env,
            sender,
            claims,
            together,
        }
    }

    async fn deliver(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.env;
        let good_since = env.clock.now() - env.policy.receiver_ttl;
        let found = orders::to_deliver(&env.pool, OrderId(object(job)?), good_since).await?;
        if found.order.state != OrderState::Pending {
            return Ok(Outcome::Done);
        }
        let network = env.network(&found.order.network)?;
        if !found.receiver_is_good && !self.can_receive(network, &found.order).await? {
            return Ok(Outcome::Done);
        }
        let Some(amount_sun) = self.stake_for(&found)? else {
            return Ok(Outcome::Again {
                at: env.clock.now() + env.policy.retry_base,
                code: "market_unknown",
            });
        };
        match self.claim(ToClaim::new(job, found.order, amount_sun)).await? {
            Next::Nothing => Ok(Outcome::Done),
            Next::Wait(code, at) => Ok(Outcome::Again { at, code }),
            Next::Send(id, signed) => {
                self.sender.send_first(network, id, &signed.raw).await?;
                Ok(Outcome::Completed)
            }
        }
    }

    /// With other orders that are due now, or alone where that does not decide it.
    async fn claim(&self, order: ToClaim) -> Result<Next, WorkError> {
        match self.together.submit(order.clone()).await.flatten() {
            Some(claimed) => claimed,
            None => self.claims.alone(&order).await,
        }
    }

    /// Asks the chain about a receiver that is not known to be good; one that cannot receive ends the order.
    async fn can_receive(&self, network: &NetworkEnvironment, order: &Order) -> Result<bool, WorkError> {
        let env = &self.env;
        let now = env.clock.now();
        let receiver: TronAddress = address(&order.receiver)?;
        let verdict = receivers::verdict(network.chain.receiver(receiver).await?);
        receivers::remember(&env.pool, &order.network, &order.receiver, verdict, now).await?;
        let Some(reason) = receivers::refusal_code(verdict) else {
            return Ok(true);
        };
        run_tx(&env.pool, "refuse_receiver", async |conn| {
            let locked = Order::lock(conn, order.id).await?;
            if locked.is_some_and(|order| order.state == OrderState::Pending) {
                let id = OrderId(order.id);
                orders::fail_in_tx(conn, env.ids.as_ref(), id, OrderState::Pending, reason, now).await?;
            }
            Ok::<_, WorkError>(())
        })
        .await?;
        Ok(false)
    }

    /// The stake that gives the order's energy now, rounded up, with the margin; `None` before the first wallet sync.
    fn stake_for(&self, found: &ToDeliver) -> Result<Option<i64>, WorkError> {
        let Some((total_limit, total_weight)) = found.market.filter(|(limit, weight)| *limit > 0 && *weight > 0) else {
            return Ok(None);
        };
        let market = EnergyMarket {
            total_limit,
            total_weight,
        };
        let margin = self.env.policy.stake_margin_bps;
        Ok(Some(tron::sun_for_energy_with_margin(
            found.order.energy,
            margin,
            market,
        )?))
    }

    /// A wallet whose key cannot be used gets no more orders; the job is tried again with another.
    async fn isolate(&self, wallet: uuid::Uuid) {
        let env = &self.env;
        let now = env.clock.now();
        let done = run_tx(&env.pool, "isolate_wallet", async |conn| {
            let reason = "its key cannot be opened";
            Ok::<_, WorkError>(isolate_in_tx(conn, env.ids.as_ref(), wallet, (reason, None), now).await?)
        })
        .await;
        if let Err(error) = done {
            tracing::error!(%wallet, error = &error as &dyn std::error::Error, "a wallet could not be isolated");
        }
    }
}
