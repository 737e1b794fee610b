//! What operators and the policy do with the coin of supplier wallets, and what came of it.

use chrono::TimeDelta;
use db::models::{StakingFilter, StakingState};
use domain::stakings::{self, StakePolicy, StakeRules, StakingDetail};
use jobs::JobKind;
use kernel::{Amount, IdGen, RandomIds, StakingId, WalletId};
use serde_json::{Value, json};
use tron::PrivateKey;

use super::{NETWORK, Rig, Supplier, TRX, by_key};

/// Operators may stake, within the limits that the API has by default; nobody else does, and nobody is warned.
pub(super) fn no_policy() -> StakePolicy {
    StakePolicy {
        enabled: false,
        rules: StakeRules {
            network: NETWORK.to_owned(),
            reserve_sun: 20 * TRX,
            wallet_day_sun: 50_000 * TRX,
            all_day_sun: 200_000 * TRX,
        },
        liquid_bps: 1_000,
        least_sun: 100 * TRX,
        transactions_per_day: 10,
        warn_transactions: 0,
        failure_pause: TimeDelta::hours(6),
    }
}

/// A wish to stake or unstake so many TRX, as it is sent to the API.
pub(crate) fn staked_for(action: &str, resource: &str, trx: i64) -> Value {
    let amount = Amount::from_minor(trx * TRX).unwrap();
    json!({ "action": action, "resource": resource, "amount": amount })
}

/// The names of what happened to a staking, oldest first.
pub(crate) fn timeline_of(detail: &StakingDetail) -> Vec<&str> {
    detail.events.iter().map(|event| event.event.as_str()).collect()
}

impl Rig {
    /// Asks for a staking over the API; its id, or the code of the problem.
    pub(crate) async fn stake(&self, wallet: WalletId, wish: Value) -> Result<StakingId, String> {
        self.stake_once(wallet, wish, &RandomIds.uuid().to_string()).await
    }

    /// The same under an idempotency key of the caller's.
    pub(crate) async fn stake_once(
        &self,
        wallet: WalletId,
        mut wish: Value,
        idempotency_key: &str,
    ) -> Result<StakingId, String> {
        wish["wallet_id"] = json!(wallet);
        wish["reason"] = json!("the test wants it");
        let path = "/api/operations/stakings";
        let answer = self
            .http
            .call_once(axum::http::Method::POST, path, Some(wish), idempotency_key)
            .await?;
        Ok(answer["staking"]["id"].as_str().unwrap().parse().unwrap())
    }

    pub(crate) async fn staking(&self, id: StakingId) -> StakingDetail {
        stakings::detail(&self.owner, id).await.unwrap()
    }

    /// Every staking, the oldest first.
    pub(crate) async fn stakings(&self) -> Vec<StakingDetail> {
        let mut rows = stakings::page(&self.owner, StakingFilter::default(), None, 100)
            .await
            .unwrap();
        rows.reverse();
        let mut all = Vec::new();
        for (staking, _) in rows {
            all.push(self.staking(StakingId(staking.id)).await);
        }
        all
    }

    /// Makes blocks until the staking is in this state.
    pub(crate) async fn wait_staking(&self, id: StakingId, state: StakingState) {
        let what = format!("staking {id} becomes {state}");
        self.until(&what, async || self.staking(id).await.staking.state == state)
            .await;
    }

    /// Has the policy look at every wallet, as the schedule does, and lets all that it wants come to its end; answers how many
    /// stakings there are then.
    pub(crate) async fn plan_stakes(&self) -> usize {
        self.ask(JobKind::WalletsPlanStakes, NETWORK).await;
        self.quiesce().await;
        self.stakings().await.len()
    }

    /// A wallet with so much coin and so much stake for energy, and none for bandwidth.
    pub(crate) async fn bare_supplier(&self, coin_trx: i64, stake_trx: i64) -> Supplier {
        let key = PrivateKey::generate().unwrap();
        self.devnet.faucet(key.address(), coin_trx * TRX).unwrap();
        self.devnet.stake_energy(key.address(), stake_trx * TRX).unwrap();
        let id = self.hand_in(by_key(&key)).await;
        self.until("the wallet is read", async || self.wallet(id).await.synced_at.is_some())
            .await;
        Supplier {
            id,
            address: key.address(),
            key,
        }
    }
}
