//! `orders.keep`: looks whether an address that is to be kept has its energy, and orders for it.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use db::acquire;
use db::models::{ChainCursor, StandingOrder, StandingState};
use domain::standing_orders::{Kept, Seen, keep};
use kernel::StandingOrderId;

use super::object;
use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};
use crate::signer::address;

/// The handler.
pub(crate) struct KeepEnergy(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for KeepEnergy {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.look(job).await)
    }
}

impl KeepEnergy {
    async fn look(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let id = StandingOrderId(object(job)?);
        let again = |code| Outcome::Again {
            at: env.clock.now() + env.policy.standing_interval,
            code,
        };
        let (standing, cursor) = {
            let mut conn = acquire(&env.pool).await?;
            let standing = StandingOrder::find(&mut conn, id.0).await?;
            let standing = standing.ok_or(domain::DomainError::NotFound("standing order"))?;
            let cursor = ChainCursor::find(&mut conn, &standing.network).await?;
            (standing, cursor)
        };
        if standing.state != StandingState::Active {
            return Ok(Outcome::Done);
        }
        let Some(cursor) = cursor.filter(|cursor| cursor.halted_at.is_none()) else {
            return Ok(again("chain_not_current")); // what is on its way cannot be told
        };
        let network = env.network(&standing.network)?;
        let read = network.chain.wallet_snapshot(address(&standing.receiver)?).await?;
        let seen = Seen {
            energy: read.energy_available(),
            block: cursor.head_number.min(read.as_of_block - env.policy.sync_margin_blocks),
            market: read.market,
            chain_time: cursor.head_time,
            lead: env.policy.standing_lead,
        };
        let rules = env.rules();
        let policy = &rules.sweep.order;
        match keep(&env.pool, env.ids.as_ref(), policy, (id, seen), env.clock.now()).await? {
            Kept::Ended => Ok(Outcome::Done),
            Kept::Enough => Ok(again("enough")),
            Kept::Held(code) => Ok(again(code)),
            Kept::Ordered { order, wake } => {
                tracing::info!(standing_order = %id, %order, "ordered for an address that is kept");
                env.push(wake.into_iter().collect());
                Ok(again("ordered"))
            }
        }
    }
}
