//! Finality: what is solidified is settled once, and what can no longer land dies by proof alone.

use std::sync::Arc;

use chain::{BlockRef, Broadcast};
use chrono::Duration;
use db::models::{DeathCause, DelegationState, OrderState, TxState};
use domain::watch::{SolidOutcome, finalise, resume};
use switchyard_domain as domain;

use crate::harness::{Tx, failed, genesis, landed};
use crate::world::{NETWORK, STAKE, World};

async fn world_with_wallet() -> World {
    let world = World::new().await;
    world.wallet(1, STAKE * 20).await;
    world
}

#[tokio::test]
async fn a_delivery_is_earned_once_it_is_solidified() {
    let world = world_with_wallet().await;
    let (order, tx) = world.deliver(1).await;
    world.mine(&[]).await;
    world.drain_jobs().await;
    assert_eq!(world.finalise().await, 0);
    world.solidify().await;
    assert!(world.has_job("chain.settle_final", NETWORK).await);
    assert_eq!(world.money().await, [1, 1, 0]);
    assert_eq!([world.finalise().await, world.finalise().await], [1, 0]);
    assert_eq!(world.money().await, [1, 0, 1]);
    assert_eq!(world.find(order).await.settled_at, Some(world.now()));
    assert_eq!(world.tx_state(&tx).await, TxState::Final);
    assert_eq!(
        world.events(order).await,
        ["accepted", "signed", "completed", "settled"]
    );
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_settlers_settle_each_order_once() {
    let world = Arc::new(world_with_wallet().await);
    let mut seen = Vec::new();
    for n in 1..=12 {
        seen.push(landed(&world.claim(world.order(n).await).await));
    }
    world.mine(&seen).await;
    world.solidify().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let world = Arc::clone(&world);
        tasks.spawn(async move {
            let mut settled = 0;
            for _ in 0..6 {
                let done = finalise(&world.worker, &world.ids, NETWORK, 2, &world.death, world.now()).await;
                settled += done.unwrap().0;
            }
            settled
        });
    }
    let settled: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!(settled, 12);
    assert_eq!(world.money().await, [12, 0, 12]);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_failure_that_is_final_sends_the_order_back_to_work() {
    let world = world_with_wallet().await;
    let order = world.order(1).await;
    let tx = world.claim(order).await;
    world.mine(&[failed(&tx)]).await;
    world.drain_jobs().await;
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    assert_eq!(
        (world.tx_state(&tx).await, world.state(order).await),
        (TxState::Final, OrderState::Pending)
    );
    assert_eq!(world.delegation(tx.delegation).await.state, DelegationState::Released);
    assert_eq!((world.money().await, world.reserved(tx.wallet).await), ([1, 1, 0], 0));
    assert!(world.has_job("orders.delegate", order).await);
    assert_eq!(world.number("SELECT failures FROM supplier_wallets").await, 1);
    assert_eq!(world.finalise().await, 0);
    let again = world.claim(order).await;
    world.mine(&[landed(&again)]).await;
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    assert_eq!(world.money().await, [1, 0, 1]);
    world.assert_sound().await;
}

#[tokio::test]
async fn nothing_is_settled_while_the_network_is_halted() {
    let world = world_with_wallet().await;
    let (order, _) = world.deliver(1).await;
    world.solidify().await;
    world.halt("two chains").await;
    assert_eq!(world.finalise().await, 0);
    assert_eq!(
        (world.find(order).await.settled_at, world.money().await),
        (None, [1, 1, 0])
    );
    resume(&world.worker, NETWORK, world.now()).await.unwrap();
    assert_eq!(world.finalise().await, 1);
    assert_eq!(world.money().await, [1, 0, 1]);
}

#[tokio::test]
async fn settling_begins_again_with_the_next_solidified_block() {
    let world = world_with_wallet().await;
    world.deliver(1).await;
    world.solidify().await;
    world.drain_jobs().await; // the job is lost
    world.mine(&[]).await;
    world.solidify().await;
    assert!(world.has_job("chain.settle_final", NETWORK).await);
}

#[tokio::test]
async fn the_solidified_head_moves_only_up_and_only_on_our_blocks() {
    let world = world_with_wallet().await;
    let first = world.mine(&[]).await.at;
    let second = world.mine(&[]).await.at;
    let done = SolidOutcome::Done { wakes: Vec::new() };
    assert_eq!(world.try_solid(&first).await, done);
    assert_eq!(world.try_solid(&genesis()).await, done);
    assert_eq!(world.cursor().await.solid_number, 1001);
    let foreign = BlockRef {
        id: "ef".repeat(32),
        ..second.clone()
    };
    assert_eq!(world.try_solid(&foreign).await, SolidOutcome::Differs);
    let ahead = BlockRef {
        number: 1003,
        ..second.clone()
    };
    assert_eq!(world.try_solid(&ahead).await, SolidOutcome::Ahead);
    assert_eq!(world.cursor().await.solid_number, 1001);
    assert_eq!(world.try_solid(&second).await, done);
    let cursor = world.cursor().await;
    assert_eq!((cursor.solid_number, cursor.solid_block_id), (1002, second.id.clone()));
    assert_eq!(cursor.solid_time, second.time);
    world.halt("a test").await;
    assert_eq!(world.try_solid(&second).await, SolidOutcome::Moved);
}

#[tokio::test]
async fn what_expired_becomes_due_when_that_is_certain() {
    let world = world_with_wallet().await;
    let tx = world.claim(world.order(1).await).await;
    let late = world.claim(world.order(2).await).await;
    for _ in 0..8 {
        world.answer(&tx, &Broadcast::Accepted, false).await;
    }
    let waits = world.tx_row(&tx).await.next_check_at;
    assert_eq!(waits, world.now() + Duration::seconds(60));
    world
        .db
        .sql("UPDATE chain_transactions SET next_check_at = next_check_at + interval '1 hour'")
        .await;
    world.drain_jobs().await;
    world.mine_at(tx.expires_at - Duration::seconds(1)).await;
    world.solidify().await;
    assert!(!world.has_job("chain.resend_transactions", NETWORK).await);
    world.mine_at(tx.expires_at).await;
    assert!(!world.has_job("chain.resend_transactions", NETWORK).await);
    world.solidify().await;
    assert!(world.has_job("chain.resend_transactions", NETWORK).await);
    for tx in [tx, late] {
        assert_eq!(world.tx_row(&tx).await.next_check_at, world.now());
    }
}

#[tokio::test]
async fn death_by_expiry_needs_a_solidified_block_past_it() {
    let world = world_with_wallet().await;
    let order = world.order(1).await;
    let tx = world.claim(order).await;
    world.clock.advance_seconds(300); // our clock proves nothing
    assert!(!world.bury(&tx).await);
    world.mine_at(tx.expires_at - Duration::microseconds(1)).await;
    world.solidify().await;
    assert!(!world.bury(&tx).await);
    world.mine_at(tx.expires_at).await;
    assert!(!world.bury(&tx).await);
    world.solidify().await;
    world.halt("a test").await;
    assert!(!world.bury(&tx).await);
    resume(&world.worker, NETWORK, world.now()).await.unwrap();
    assert!(world.bury(&tx).await);
    let row = world.tx_row(&tx).await;
    assert_eq!((row.state, row.death_cause), (TxState::Dead, Some(DeathCause::Expired)));
    assert_eq!(
        (world.state(order).await, world.reserved(tx.wallet).await),
        (OrderState::Pending, 0)
    );
    assert!(!world.bury(&tx).await);
    world.assert_sound().await;
}

/// One transaction of each of two wallets: the first expires, and the second lands so many seconds after the signing, if
/// it does.
async fn one_expires(lands_after_s: Option<i64>) -> (World, Tx) {
    let world = World::new().await;
    world.wallet(1, STAKE).await;
    world.wallet(2, STAKE * 2).await;
    let lost = world.claim(world.order(1).await).await;
    let other = world.claim(world.order(2).await).await;
    assert_ne!(lost.wallet, other.wallet);
    if let Some(seconds) = lands_after_s {
        world.mine_at(genesis().time + Duration::seconds(seconds - 3)).await;
        world.mine(&[landed(&other)]).await;
    }
    world.mine_at(lost.expires_at).await;
    world.mine_at(lost.expires_at + Duration::seconds(30)).await;
    world.solidify().await;
    assert!(world.bury(&lost).await);
    (world, lost)
}

#[tokio::test]
async fn an_expiry_is_its_wallets_fault_only_if_something_else_of_ours_landed_meanwhile() {
    for (lands_after_s, blamed) in [(None, 0), (Some(9), 0), (Some(12), 1), (Some(57), 1)] {
        let (world, lost) = one_expires(lands_after_s).await;
        let failures = format!("SELECT failures FROM supplier_wallets WHERE id = '{}'", lost.wallet);
        assert_eq!(world.number(&failures).await, blamed, "{lands_after_s:?}");
        let findings = world.findings().await;
        let expected: &[&str] = if blamed == 1 { &[] } else { &["chain.nothing_lands"] };
        assert_eq!(findings, expected, "{lands_after_s:?}");
        // whatever lands next shows that it is over
        let next = world.claim(world.order(3).await).await;
        world.mine(&[landed(&next)]).await;
        assert_eq!(world.findings().await, [""; 0]);
    }
}

#[tokio::test]
async fn what_landed_after_the_expiry_clears_nobody_and_blames_nobody() {
    let world = World::new().await;
    world.wallet(1, STAKE).await;
    world.wallet(2, STAKE * 2).await;
    let lost = world.claim(world.order(1).await).await;
    world.mine_at(lost.expires_at + Duration::seconds(3)).await;
    let other = world.claim(world.order(2).await).await;
    world.mine(&[landed(&other)]).await;
    world.solidify().await;
    assert!(world.bury(&lost).await);
    assert_eq!(world.number("SELECT max(failures) FROM supplier_wallets").await, 0);
}

#[tokio::test]
async fn what_landed_is_never_buried() {
    let world = world_with_wallet().await;
    let (order, tx) = world.deliver(1).await;
    world.mine_at(tx.expires_at).await;
    world.solidify().await;
    assert!(!world.bury(&tx).await);
    world.finalise().await;
    assert!(!world.bury(&tx).await);
    assert_eq!(world.state(order).await, OrderState::Completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_burying_and_landing_in_the_last_block_exactly_one_happens() {
    let world = Arc::new(world_with_wallet().await);
    for n in 1..=8 {
        let order = world.order(n).await;
        let tx = world.claim(order).await;
        // the last block that may carry it is the first at or past its expiry
        let mut last = crate::harness::block_on(&world.head().await, 0, &[landed(&tx)]);
        last.at.time = tx.expires_at;
        let (applier, burier) = (Arc::clone(&world), Arc::clone(&world));
        let applying = tokio::spawn(async move {
            applier.apply(&[last]).await.unwrap();
            applier.solidify().await;
        });
        let burying = tokio::spawn(async move {
            let mut died = false;
            for _ in 0..10 {
                died |= burier.bury(&tx).await;
            }
            died
        });
        applying.await.unwrap();
        assert!(!burying.await.unwrap());
        assert_eq!(world.state(order).await, OrderState::Completed);
    }
    assert_eq!(world.findings().await, [""; 0]);
}
