//! `wallets.check_stock`: how much energy can be sold now, and an alert when it is little.

use std::sync::Arc;

use ::jobs::RunningJob;
use async_trait::async_trait;
use db::models::{ChainCursor, Order};
use db::{acquire, run_tx};
use domain::findings::{self, FindingKind};
use domain::wallets::sellable_sun;
use serde_json::json;

use crate::environment::Environment;
use crate::error::{WorkError, outcome};
use crate::queue::{Handler, Outcome};

/// The handler.
pub(crate) struct CheckStock(pub(crate) Arc<Environment>);

#[async_trait]
impl Handler for CheckStock {
    async fn run(&self, job: &RunningJob) -> Outcome {
        outcome(self.check(&job.object_id).await)
    }
}

impl CheckStock {
    async fn check(&self, network: &str) -> Result<Outcome, WorkError> {
        let env = &self.0;
        let now = env.clock.now();
        let mut conn = acquire(&env.pool).await?;
        let Some(cursor) = ChainCursor::find(&mut conn, network).await? else {
            return Ok(Outcome::Done);
        };
        if cursor.total_energy_weight <= 0 {
            return Ok(Outcome::Done); // no wallet was ever read
        }
        let market = chain::EnergyMarket {
            total_limit: cursor.total_energy_limit,
            total_weight: cursor.total_energy_weight,
        };
        let sun = sellable_sun(&mut conn).await?;
        drop(conn);
        let energy = tron::energy_for_sun(sun, market);
        let low = energy < env.policy.low_stock_energy;
        run_tx(&env.pool, "check_stock", async |conn| {
            if !Order::any_waiting_for(conn, network, "no_wallet_fits").await? {
                findings::clear_in_tx(conn, FindingKind::NoWalletFits, network, now).await?;
            }
            if low {
                let detail = json!({ "energy": energy, "alert_below": env.policy.low_stock_energy });
                findings::record_in_tx(conn, env.ids.as_ref(), FindingKind::LowStock, network, detail, now).await
            } else {
                findings::clear_in_tx(conn, FindingKind::LowStock, network, now).await
            }
        })
        .await?;
        Ok(Outcome::Done)
    }
}
