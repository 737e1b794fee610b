//! `wallets.plan_stakes`: looks whether a supplier wallet is to be staked by the policy; for the network it asks for a look at
//! every wallet that takes orders.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use chain::WalletSnapshot;
use chrono::{DateTime, Utc};
use db::acquire;
use db::models::{ChainCursor, SupplierWallet};
use domain::stakings::{PlanFacts, StakeFacts, coming_energy_sun, plan_all, plan_wallet};
use domain::wallets::find;
use kernel::WalletId;

use super::object;
use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};
use crate::signer::wallet_address;
use crate::stakes::{is_low, missing_sun};

/// The handler.
pub(crate) struct PlanStakes(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for PlanStakes {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.look(job).await)
    }
}

impl PlanStakes {
    async fn look(&self, job: &RunningJob) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let policy = &env.policy.stake;
        if !policy.enabled {
            return Ok(Outcome::Done);
        }
        if job.object_id == policy.rules.network {
            let wakes = plan_all(&env.pool, env.policy.sync_spread, env.clock.now()).await?;
            env.push(wakes);
            return Ok(Outcome::Done);
        }
        self.plan(&find(&env.pool, WalletId(object(job)?)).await?).await
    }

    async fn plan(&self, wallet: &SupplierWallet) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let policy = &env.policy.stake;
        let network = env.network(&policy.rules.network)?;
        let Some(head_time) = self.head_time(&policy.rules.network).await? else {
            return Ok(Outcome::Done); // no block was read yet
        };
        let snapshot = network.chain.wallet_snapshot(wallet_address(wallet)?).await?;
        let facts = PlanFacts {
            stake: StakeFacts::of(&snapshot, head_time),
            as_of_block: snapshot.as_of_block,
            bandwidth_missing_sun: missing_sun(&snapshot, policy),
            stock_low: self.stock_is_low(&snapshot).await?,
        };
        let what = (WalletId(wallet.id), &facts);
        let planned = plan_wallet(&env.pool, env.ids.as_ref(), policy, what, env.clock.now()).await?;
        for action in &planned.made {
            tracing::info!(wallet = %wallet.id, %action, "the policy stakes");
        }
        env.push(planned.wakes);
        Ok(Outcome::Done)
    }

    async fn head_time(&self, network: &str) -> Result<Option<DateTime<Utc>>, WorkError> {
        let mut conn = acquire(&self.0.pool).await?;
        let cursor = ChainCursor::find(&mut conn, network).await?;
        Ok(cursor.map(|cursor| cursor.head_time))
    }

    async fn stock_is_low(&self, snapshot: &WalletSnapshot) -> Result<bool, WorkError> {
        let env = &self.0;
        let coming = coming_energy_sun(&env.pool, &env.policy.stake.rules.network).await?;
        let mut conn = acquire(&env.pool).await?;
        let sellable = SupplierWallet::sellable_sun(&mut conn)
            .await
            .map_err(domain::DomainError::from)?;
        Ok(is_low(sellable, coming, snapshot.market, env.rules().stock.low_energy))
    }
}
