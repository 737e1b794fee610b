//! The policy: what it makes of a wallet's figures, within the same bounds, and the warning before coin is burned.

use db::models::{StakeResource, StakingAction, StakingSource, StakingState, SupplierWallet};
use db::{acquire, run_tx};
use domain::stakings::{
    BandwidthFacts, PlanFacts, StakeFacts, StakePolicy, plan_all, plan_wallet, watch_bandwidth_in_tx,
};
use kernel::WalletId;
use switchyard_domain as domain;

use super::{COIN, TRX, facts, policy};
use crate::harness::landed;
use crate::world::World;

fn low() -> PlanFacts {
    PlanFacts {
        stake: facts(),
        as_of_block: 2_000,
        bandwidth_missing_sun: 0,
        stock_low: true,
    }
}

impl World {
    async fn plan_for(&self, wallet: WalletId, facts: &PlanFacts, policy: &StakePolicy) -> Vec<StakingAction> {
        plan_wallet(&self.worker, &self.ids, policy, (wallet, facts), self.now())
            .await
            .unwrap()
            .made
    }

    async fn staked_sun(&self) -> Vec<i64> {
        let words = self
            .words("SELECT amount_sun::text AS word FROM stakings WHERE amount_sun IS NOT NULL ORDER BY id")
            .await;
        words.iter().map(|word| word.parse().unwrap()).collect()
    }
}

#[tokio::test]
async fn stock_that_is_low_is_raised_within_the_share_and_the_limits() {
    let world = World::new().await;
    let (first, second) = (world.rich_wallet(1).await, world.rich_wallet(2).await);
    // all is 2,500 TRX, of which a tenth stays: 750 would be staked
    assert_eq!(world.plan_for(first, &low(), &policy()).await, [StakingAction::Stake]);
    assert_eq!(world.staked_sun().await, [600 * TRX], "a wallet's limit");
    assert_eq!(world.plan_for(first, &low(), &policy()).await, [], "it has an open one");
    assert_eq!(world.plan_for(second, &low(), &policy()).await, [StakingAction::Stake]);
    assert_eq!(world.staked_sun().await, [600 * TRX, 300 * TRX], "the limit of all");
    let sources = world
        .words("SELECT DISTINCT source || ' ' || requested_by AS word FROM stakings")
        .await;
    assert_eq!(sources, ["policy worker"]);
    let third = world.rich_wallet(3).await;
    assert_eq!(world.plan_for(third, &low(), &policy()).await, []);
    world.assert_sound().await;
}

#[tokio::test]
async fn nothing_is_planned_where_nothing_should_be() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let enough = PlanFacts {
        stock_low: false,
        ..low()
    };
    assert_eq!(world.plan_for(wallet, &enough, &policy()).await, []);
    let off = StakePolicy {
        enabled: false,
        ..policy()
    };
    assert_eq!(world.plan_for(wallet, &low(), &off).await, []);
    let behind = PlanFacts {
        as_of_block: 999,
        ..low()
    };
    assert_eq!(world.plan_for(wallet, &behind, &policy()).await, [], "the node lags");
    for not_in_use in [
        "enabled = false",
        "enabled = true, isolated_at = now(), isolated_reason = 'x'",
    ] {
        world.db.sql(&format!("UPDATE supplier_wallets SET {not_in_use}")).await;
        assert_eq!(world.plan_for(wallet, &low(), &policy()).await, []);
        assert!(
            plan_all(&world.worker, chrono::Duration::zero(), world.now())
                .await
                .unwrap()
                .is_empty()
        );
    }
    assert_eq!(world.count("stakings").await, 0);
}

#[tokio::test]
async fn bandwidth_comes_before_energy_and_what_has_waited_is_taken_back() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let mut short = low();
    short.bandwidth_missing_sun = 30 * TRX;
    short.stake.ready_sun = TRX;
    let made = world.plan_for(wallet, &short, &policy()).await;
    assert_eq!(made, [StakingAction::Withdraw, StakingAction::Stake]);
    let staked = "stakings WHERE action = 'stake' AND resource = 'bandwidth' AND amount_sun = 30000000";
    assert_eq!(world.count(staked).await, 1);
    assert_eq!(world.plan_for(wallet, &short, &policy()).await, []);
}

#[tokio::test]
async fn after_a_failure_a_wallet_is_left_alone_for_a_while() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    world.plan_for(wallet, &low(), &policy()).await;
    let id = world
        .word("SELECT id::text AS word FROM stakings")
        .await
        .parse()
        .unwrap();
    let poor = StakeFacts {
        balance_sun: 0,
        ..facts()
    };
    assert_eq!(world.sign_stake(id, &poor).await, Err("balance_short"));
    assert_eq!(world.plan_for(wallet, &low(), &policy()).await, []);
    world.clock.advance_seconds(6 * 3_600 + 1);
    assert_eq!(world.plan_for(wallet, &low(), &policy()).await, [StakingAction::Stake]);
}

#[tokio::test]
async fn what_was_staked_and_not_read_is_not_staked_again() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    world.plan_for(wallet, &low(), &policy()).await;
    let id = world
        .word("SELECT id::text AS word FROM stakings")
        .await
        .parse()
        .unwrap();
    let tx = world.sign_stake(id, &facts()).await.unwrap();
    world.mine(&[landed(&tx)]).await;
    world.solidify().await;
    world.finalise().await;
    let staking = world.staking(id).await;
    assert_eq!(
        (staking.state, staking.source),
        (StakingState::Done, StakingSource::Policy)
    );
    assert_eq!(staking.resource, Some(StakeResource::Energy));
    world.clock.advance_seconds(86_401);
    // by the wallet's row 1,000 TRX are there, of which 600 are stake by now
    assert_eq!(world.plan_for(wallet, &low(), &policy()).await, [StakingAction::Stake]);
    assert_eq!(world.staked_sun().await, [600 * TRX, COIN - 600 * TRX - 20 * TRX]);
}

#[tokio::test]
async fn an_operator_is_told_before_coin_is_burned() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let watch = async |lends, left, missing_sun, spare_sun| {
        let facts = BandwidthFacts {
            lends,
            left,
            missing_sun,
            spare_sun,
        };
        let mut conn = acquire(&world.worker).await.unwrap();
        let row = SupplierWallet::find(&mut conn, wallet.0).await.unwrap().unwrap();
        drop(conn);
        run_tx(&world.worker, "test_watch", async |conn| {
            watch_bandwidth_in_tx(conn, &world.ids, (&row, &facts), &policy(), world.now()).await
        })
        .await
        .unwrap();
        !world.findings().await.is_empty()
    };
    assert!(!watch(true, 2, 0, 0).await);
    assert!(watch(true, 1, 0, 0).await, "one transaction is left");
    assert!(!watch(true, 5, 10 * TRX, 10 * TRX).await, "the policy will stake it");
    assert!(watch(true, 5, 10 * TRX, 9 * TRX).await, "it cannot");
    assert_eq!(world.findings().await, ["wallets.burns_soon"]);
    assert!(!watch(false, 0, 0, 0).await, "without stake it has nothing to send");
    assert!(watch(true, 0, 0, 0).await);
    world.db.sql("UPDATE supplier_wallets SET enabled = false").await;
    assert!(!watch(true, 0, 10 * TRX, 0).await, "it lends nothing");
}
