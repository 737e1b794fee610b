//! Signing: against what the chain says, one transaction at a time, and what blocks, forks and deaths make of it.

use chrono::Duration;
use db::models::{StakeResource, StakingState, TxState};
use domain::delegations::Adoption;
use domain::stakings::{StakeFacts, StakeWish};
use switchyard_domain as domain;

use super::{COIN, TRX, facts, stake, unstake};
use crate::harness::{failed, landed, refused};
use crate::world::{NETWORK, STAKE, World};

#[tokio::test]
async fn a_staking_goes_its_way_once() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let id = world.stake_asked(wallet, stake(500)).await;
    let tx = world.sign_stake(id, &facts()).await.unwrap();
    assert_eq!(world.sign_stake(id, &facts()).await, Err("nothing to do"));
    assert_eq!(world.staking_state(id).await, StakingState::Processing);
    assert_eq!(world.reserved(wallet).await, 0, "coin is not lent");
    world.mine(&[landed(&tx)]).await;
    assert_eq!(world.staking_state(id).await, StakingState::Sent);
    assert_eq!(world.staking(id).await.block_number, Some(1001));
    assert!(world.has_job("wallets.sync", wallet).await, "it is read again");
    world.drain_jobs().await;
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    assert_eq!(world.staking_state(id).await, StakingState::Done);
    assert_eq!(world.staking_events(id).await, ["requested", "signed", "sent", "done"]);
    assert_eq!(world.count("ledger_transfers WHERE reason = 'chain_fee'").await, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_the_chain_would_refuse_fails_before_anything_is_signed() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let id = world.stake_asked(wallet, stake(500)).await;
    let poor = StakeFacts {
        balance_sun: 519 * TRX,
        ..facts()
    };
    assert_eq!(world.sign_stake(id, &poor).await, Err("balance_short"));
    assert_eq!(world.staking_state(id).await, StakingState::Failed);
    assert_eq!(world.findings().await, ["stakings.failed"]);
    let id = world.stake_asked(wallet, StakeWish::Withdraw).await;
    assert_eq!(world.sign_stake(id, &facts()).await, Err("nothing_ready"));
    assert_eq!(world.count("chain_transactions").await, 0);
    // one that is done mends it
    let id = world.stake_asked(wallet, stake(500)).await;
    let tx = world.sign_stake(id, &facts()).await.unwrap();
    world.mine(&[landed(&tx)]).await;
    world.solidify().await;
    world.finalise().await;
    assert_eq!(world.findings().await, [""; 0]);
}

#[tokio::test]
async fn stake_on_its_way_back_is_lent_to_nobody() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let id = world.stake_asked(wallet, unstake(StakeResource::Energy, 600)).await;
    let tx = world.sign_stake(id, &facts()).await.unwrap();
    assert_eq!(world.reserved(wallet).await, 600 * TRX);
    for receiver in 1..=4 {
        let order = world.order(receiver).await;
        world.claim(order).await;
    }
    let order = world.order(5).await;
    let claimed = world.try_claim(order, STAKE).await.unwrap();
    assert_eq!(
        claimed,
        crate::harness::Tried::NoWallet,
        "600 of 1,000 TRX are not there any more"
    );
    world.mine(&[landed(&tx)]).await;
    assert_eq!(world.reserved(wallet).await, COIN, "no read shows it yet");
    world.assert_reserved_as_counted().await;
    // what is unstaked when it is signed is held against what was promised meanwhile
    world.solidify().await;
    world.finalise().await;
    let rest = StakeFacts {
        energy_sun: 400 * TRX,
        ..facts()
    };
    world
        .db
        .sql("UPDATE supplier_wallets SET reserved_sun = 0, staked_energy_sun = 400000000")
        .await;
    let id = {
        world.clock.advance_seconds(86_401);
        world.stake_asked(wallet, unstake(StakeResource::Energy, 300)).await
    };
    world
        .db
        .sql("UPDATE supplier_wallets SET reserved_sun = 200000000")
        .await;
    assert_eq!(world.sign_stake(id, &rest).await, Err("stake_lent"));
}

impl World {
    async fn assert_reserved_as_counted(&self) {
        let mut conn = db::acquire(&self.worker).await.unwrap();
        let differing = domain::reconcile::differing_reservations(&mut conn).await.unwrap();
        assert_eq!(differing, []);
    }
}

#[tokio::test]
async fn another_is_signed_only_after_a_proven_death_and_no_wallet_is_blamed() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let id = world.stake_asked(wallet, unstake(StakeResource::Energy, 100)).await;
    for attempt in 1..=3 {
        world.drain_jobs().await;
        let tx = world.sign_stake(id, &facts()).await.unwrap();
        let answer = refused(chain::Refusal::InsufficientStake);
        assert!(!world.answer(&tx, &answer, true).await.died, "a refusal proves nothing");
        assert!(!world.bury(&tx).await);
        assert_eq!(world.staking_state(id).await, StakingState::Processing);
        assert_eq!(world.reserved(wallet).await, 100 * TRX);
        if attempt == 2 {
            world.mine(&[failed(&tx)]).await;
            world.solidify().await;
            assert_eq!(world.finalise().await, 1);
        } else {
            world.mine_at(tx.expires_at + Duration::seconds(3)).await;
            world.solidify().await;
            assert!(world.bury(&tx).await);
        }
        assert_eq!(world.reserved(wallet).await, 0, "it is free again");
        assert_eq!(world.has_job("wallets.stake", id).await, attempt < 3);
    }
    assert_eq!(world.staking_state(id).await, StakingState::Failed);
    assert_eq!(
        world.staking(id).await.reason_code.as_deref(),
        Some("attempts_exhausted")
    );
    assert!(world.findings().await.contains(&"stakings.failed".to_owned()));
    assert_eq!(world.number("SELECT max(failures) FROM supplier_wallets").await, 0);
    assert_eq!(world.count("supplier_wallets WHERE isolated_at IS NOT NULL").await, 0);
}

#[tokio::test]
async fn a_fork_takes_it_back_and_it_may_land_again() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let id = world.stake_asked(wallet, unstake(StakeResource::Energy, 100)).await;
    let tx = world.sign_stake(id, &facts()).await.unwrap();
    world.mine(&[landed(&tx)]).await;
    // a read shows it
    world
        .db
        .sql("UPDATE supplier_wallets SET synced_block = 1001, reserved_sun = 0")
        .await;
    world.revert_to(1000).await;
    let staking = world.staking(id).await;
    assert_eq!((staking.state, staking.block_number), (StakingState::Processing, None));
    assert_eq!(world.reserved(wallet).await, 100 * TRX);
    world.mine(&[landed(&tx)]).await;
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    assert_eq!(
        world.staking_events(id).await,
        ["requested", "signed", "sent", "reverted", "sent", "done"]
    );
    assert_eq!(world.tx_state(&tx).await, TxState::Final);
}

#[tokio::test]
async fn after_a_dead_transaction_landed_nothing_is_signed_until_it_is_adopted() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let id = world.stake_asked(wallet, stake(100)).await;
    let tx = world.sign_stake(id, &facts()).await.unwrap();
    world.mine_at(tx.expires_at + Duration::seconds(3)).await;
    world.solidify().await;
    assert!(world.bury(&tx).await);
    let block = world.mine(&[landed(&tx)]).await;
    assert_eq!(world.sign_stake(id, &facts()).await, Err("dead_transaction_landed"));
    world.solidify().await;
    assert_eq!(world.adopt(&tx, &block).await, Adoption::Adopted { wakes: Vec::new() });
    let staking = world.staking(id).await;
    assert_eq!(
        (staking.state, staking.block_number),
        (StakingState::Done, Some(block.at.number))
    );
    assert_eq!(world.tx_state(&tx).await, TxState::Final);
}

#[tokio::test]
async fn nothing_is_signed_on_old_knowledge_and_a_lost_job_is_found() {
    let world = World::new().await;
    let wallet = world.rich_wallet(1).await;
    let id = world.stake_asked(wallet, stake(100)).await;
    world.drain_jobs().await;
    let report = world.reconcile().await;
    assert_eq!((report.requeued, report.findings), (1, 0));
    assert!(world.has_job("wallets.stake", id).await);
    world
        .db
        .sql(&format!(
            "UPDATE chain_cursors SET updated_at = now() - interval '2 minutes' WHERE network = '{NETWORK}'"
        ))
        .await;
    assert_eq!(world.sign_stake(id, &facts()).await, Err("chain_not_current"));
    assert_eq!(world.staking_state(id).await, StakingState::Requested);
    world.clock.advance_seconds(3_601);
    world.reconcile().await;
    assert_eq!(world.findings().await, ["stakings.stuck"]);
}
