//! `orders.delegate`: gives an order its energy. Signs and stores in one transaction, then sends, then records.

mod claims;

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use chain::{EnergyMarket, TronAddress};
use db::models::{Order, OrderState, ToDeliver};
use db::{acquire, run_tx};
use domain::delegations::{end_incomplete, missing_energy};
use domain::wallets::isolate_in_tx;
use domain::{orders, receivers};
use futures::future::join_all;
use kernel::OrderId;

use self::claims::{Claims, Next, Stake, ToClaim};
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
        let energy = self.missing(&found.order).await?;
        if energy == 0 {
            return Ok(Outcome::Done);
        }
        let network = env.network(&found.order.network)?;
        if !found.receiver_is_good && !self.can_receive(network, &found.order).await? {
            return Ok(Outcome::Done);
        }
        let Some(stake) = self.stake_for(&found, energy)? else {
            return Ok(Outcome::Again {
                at: env.clock.now() + env.policy.retry_base,
                code: "market_unknown",
            });
        };
        match self.claim(ToClaim::new(job, found.order, stake)).await? {
            Next::Nothing => Ok(Outcome::Done),
            Next::Wait(code, at) => Ok(Outcome::Again { at, code }),
            Next::Send(signed) => {
                let sends = signed
                    .iter()
                    .map(|(id, signed)| self.sender.send_first(network, *id, &signed.raw));
                // each is sent, whatever becomes of the others: they are stored, and one that fails here is sent again
                let sent = join_all(sends).await;
                sent.into_iter().collect::<Result<(), _>>()?;
                Ok(Outcome::Completed)
            }
        }
    }

    /// The energy to be claimed: all of a pending order, what one in parts lacks, else none.
    async fn missing(&self, order: &Order) -> Result<i64, WorkError> {
        match order.state {
            OrderState::Pending => Ok(order.energy),
            OrderState::Processing => {
                let mut conn = acquire(&self.env.pool).await?;
                Ok(missing_energy(&mut conn, order).await?)
            }
            OrderState::Completed | OrderState::Failed | OrderState::Cancelled | OrderState::Refunded => Ok(0),
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
        // one that lacks a part would never get it
        end_incomplete(&env.pool, env.ids.as_ref(), (OrderId(order.id), Some(reason)), now).await?;
        Ok(false)
    }

    /// The stake that gives this energy now, rounded up, with the margin; `None` before the first wallet sync.
    fn stake_for(&self, found: &ToDeliver, energy: i64) -> Result<Option<Stake>, WorkError> {
        let Some((total_limit, total_weight)) = found.market.filter(|(limit, weight)| *limit > 0 && *weight > 0) else {
            return Ok(None);
        };
        let market = EnergyMarket {
            total_limit,
            total_weight,
        };
        let margin_bps = self.env.rules().stake_margin_bps;
        let sun = |energy| tron::sun_for_energy_with_margin(energy, margin_bps, market);
        Ok(Some(Stake {
            energy,
            amount_sun: sun(energy)?,
            least_part_sun: sun(self.env.policy.part_energy_min)?,
        }))
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
