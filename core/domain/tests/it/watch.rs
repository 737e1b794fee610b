//! Applying blocks: each effect once, in the commit that moves the cursor, or not at all.

use std::sync::Arc;

use chain::{Block, Refusal, TransactionSeen, TxId, TxOutcome};
use chrono::Duration;
use db::models::{DelegationState, OrderState, TxState};
use domain::DomainError;
use domain::watch::{Applied, resume, start};
use switchyard_domain as domain;

use crate::harness::{block_on, failed, genesis, landed, refused};
use crate::world::{HOUR, NETWORK, STAKE, World};

async fn world_with_wallet() -> World {
    let world = World::new().await;
    world.wallet(1, STAKE * 10).await;
    world
}

#[tokio::test]
async fn a_network_starts_once() {
    let world = World::new().await;
    world.mine(&[]).await;
    assert!(!start(&world.worker, NETWORK, &genesis(), world.now()).await.unwrap());
    assert_eq!(world.cursor().await.head_number, 1001);
}

#[tokio::test]
async fn a_landed_delegation_completes_its_order() {
    let world = world_with_wallet().await;
    let order = world.order(1).await;
    let tx = world.claim(order).await;
    world.clock.advance_seconds(17);
    let block = world.mine(&[landed(&tx)]).await;
    let ends_at = block.at.time + Duration::seconds(i64::from(HOUR));
    let found = world.find(order).await;
    assert_eq!((found.state, found.settled_at), (OrderState::Completed, None));
    assert_eq!(
        (found.completed_at, found.ends_at),
        (Some(block.at.time), Some(ends_at))
    );
    let delegation = world.delegation(tx.delegation).await;
    assert_eq!(
        (delegation.state, delegation.ends_at),
        (DelegationState::Active, Some(ends_at))
    );
    assert_eq!(delegation.block_number, Some(1001));
    let row = world.tx_row(&tx).await;
    assert_eq!((row.state, row.block_id), (TxState::Included, Some(block.at.id)));
    // not final yet: not earned yet; and the last sync did not see it: still reserved
    assert_eq!(
        (world.money().await, world.reserved(tx.wallet).await),
        ([1, 1, 0], STAKE)
    );
    assert!(world.has_job("wallets.sync", tx.wallet).await);
    assert_eq!(world.events(order).await, ["accepted", "signed", "completed"]);
    assert_eq!(world.finalise().await, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_was_never_sent_may_be_seen_in_a_block() {
    let world = world_with_wallet().await;
    let (order, _) = world.deliver(1).await; // the process died between its send and its record
    assert_eq!(world.state(order).await, OrderState::Completed);
}

#[tokio::test]
async fn foreign_transactions_are_nothing_to_us() {
    let world = world_with_wallet().await;
    let tx = world.claim(world.order(1).await).await;
    let foreign = |n: u8| TransactionSeen {
        txid: TxId([n; 32]),
        ..landed(&tx)
    };
    let block = block_on(&world.head().await, 0, &[foreign(1), landed(&tx), foreign(2)]);
    let applied = world.apply(&[block]).await.unwrap();
    assert!(matches!(applied, Applied::Done { ours: 1, .. }), "{applied:?}");
    assert_eq!(
        world
            .number("SELECT transaction_count FROM blocks WHERE number = 1001")
            .await,
        3
    );
}

#[tokio::test]
async fn the_same_blocks_again_have_no_effect() {
    let world = world_with_wallet().await;
    let order = world.order(1).await;
    let tx = world.claim(order).await;
    let first = block_on(&world.head().await, 0, &[landed(&tx)]);
    let second = block_on(&first.at, 0, &[]);
    let blocks = [first, second];
    assert!(matches!(
        world.apply(&blocks).await.unwrap(),
        Applied::Done { ours: 1, .. }
    ));
    let before = world.find(order).await;
    world.clock.advance_seconds(1);
    assert_eq!(world.apply(&blocks).await.unwrap(), Applied::Moved);
    assert_eq!(world.apply(&blocks[1..]).await.unwrap(), Applied::Moved);
    assert_eq!(world.find(order).await, before);
    assert_eq!(
        (world.cursor().await.head_number, world.count("blocks").await),
        (1002, 3)
    );
    assert_eq!(world.events(order).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_appliers_one_applies() {
    let world = Arc::new(world_with_wallet().await);
    for n in 1..=10 {
        let order = world.order(n).await;
        let tx = world.claim(order).await;
        let block = block_on(&world.head().await, 0, &[landed(&tx)]);
        let tasks = [0, 1, 2].map(|_| {
            let (world, block) = (Arc::clone(&world), block.clone());
            tokio::spawn(async move { world.apply(&[block]).await.unwrap() })
        });
        let mut done = 0;
        for task in tasks {
            match task.await.unwrap() {
                Applied::Done { ours, .. } => done += ours,
                Applied::Moved => {}
            }
        }
        assert_eq!(done, 1);
        assert_eq!(world.events(order).await, ["accepted", "signed", "completed"]);
    }
    world.assert_sound().await;
}

/// Nothing of these blocks is written.
async fn assert_refused(world: &World, blocks: &[Block]) {
    let refused = world.apply(blocks).await;
    assert!(matches!(refused, Err(DomainError::Broken(_))), "{refused:?}");
    assert_eq!(
        (world.cursor().await.head_number, world.count("blocks").await),
        (1000, 1)
    );
    assert_eq!(world.count("chain_transactions WHERE state = 'signed'").await, 1);
}

#[tokio::test]
async fn blocks_that_are_no_chain_are_refused_whole() {
    let world = world_with_wallet().await;
    let tx = world.claim(world.order(1).await).await;
    let first = block_on(&genesis(), 0, &[landed(&tx)]);
    let second = block_on(&first.at, 0, &[]);
    let third = block_on(&second.at, 0, &[]);
    assert_refused(&world, &[first.clone(), third.clone()]).await;
    let mut stranger = second.clone();
    stranger.at.parent_id = "cd".repeat(32);
    assert_refused(&world, &[first.clone(), stranger]).await;
    for number in [1000, 1002] {
        let mut jump = first.clone();
        jump.at.number = number;
        assert_refused(&world, &[jump]).await;
    }
    assert_refused(&world, &[first.clone(), first.clone()]).await;
    // another parent than our head: somebody moved it, or there is a fork to follow
    assert_eq!(
        world.apply(&[second.clone(), third.clone()]).await.unwrap(),
        Applied::Moved
    );
    assert_eq!(world.cursor().await.head_number, 1000);
    assert!(matches!(
        world.apply(&[first, second, third]).await.unwrap(),
        Applied::Done { ours: 1, .. }
    ));
    assert!(matches!(world.apply(&[]).await.unwrap(), Applied::Done { ours: 0, .. }));
}

#[tokio::test]
async fn a_dead_transaction_that_lands_is_an_alarm_and_no_delivery() {
    let world = world_with_wallet().await;
    let order = world.order(1).await;
    let tx = world.claim(order).await;
    world.answer(&tx, &refused(Refusal::Other), true).await;
    world.mine(&[landed(&tx)]).await;
    assert_eq!(world.findings().await, ["chain.dead_transaction_landed"]);
    assert_eq!(world.word("SELECT severity AS word FROM findings").await, "critical");
    let subject = world.word("SELECT subject AS word FROM findings").await;
    assert_eq!(subject, format!("transaction:{}", tx.txid));
    assert_eq!(
        (world.tx_state(&tx).await, world.state(order).await),
        (TxState::Dead, OrderState::Pending)
    );
}

#[tokio::test]
async fn a_halted_network_is_not_read() {
    let world = world_with_wallet().await;
    let order = world.order(1).await;
    let tx = world.claim(order).await;
    world.halt("two chains").await;
    assert_eq!(world.findings().await, ["chain.scan_halted"]);
    let block = block_on(&world.head().await, 0, &[landed(&tx)]);
    assert_eq!(world.apply(std::slice::from_ref(&block)).await.unwrap(), Applied::Moved);
    assert_eq!(
        (world.state(order).await, world.count("blocks").await),
        (OrderState::Processing, 1)
    );
    resume(&world.worker, NETWORK, world.now()).await.unwrap();
    assert_eq!(world.findings().await, [""; 0]);
    assert!(matches!(
        world.apply(&[block]).await.unwrap(),
        Applied::Done { ours: 1, .. }
    ));
    let unknown = resume(&world.worker, "mars", world.now()).await;
    assert!(matches!(unknown, Err(DomainError::NotFound("network"))), "{unknown:?}");
}

#[tokio::test]
async fn a_failed_transaction_delivers_nothing_yet_loses_nothing() {
    let world = world_with_wallet().await;
    let order = world.order(1).await;
    let tx = world.claim(order).await;
    world.mine(&[failed(&tx)]).await;
    assert_eq!(
        (world.tx_state(&tx).await, world.state(order).await),
        (TxState::Included, OrderState::Processing)
    );
    assert_eq!(world.delegation(tx.delegation).await.state, DelegationState::Reserved);
    assert_eq!(
        (world.money().await, world.reserved(tx.wallet).await),
        ([1, 1, 0], STAKE)
    );
    assert!(!world.bury(&tx).await);
    world.assert_sound().await;
}

#[tokio::test]
async fn reclaims_are_asked_for_by_the_clock_of_the_chain_and_once() {
    let world = world_with_wallet().await;
    let (_, tx) = world.deliver(1).await;
    let ends_at = world.delegation(tx.delegation).await.ends_at.unwrap();
    // by our clock the rental is long over
    world.clock.advance_seconds(10 * i64::from(HOUR));
    world.mine_at(ends_at - Duration::seconds(4)).await;
    assert!(!world.has_job("delegations.reclaim", tx.delegation).await);
    world.mine_at(ends_at).await;
    assert!(world.has_job("delegations.reclaim", tx.delegation).await);
    let request = "SELECT request FROM jobs WHERE kind = 'delegations.reclaim'";
    world.mine(&[]).await;
    assert_eq!(world.number(request).await, 0);
    // a lost job is made again by the next block
    world.drain_jobs().await;
    world.mine(&[]).await;
    assert!(world.has_job("delegations.reclaim", tx.delegation).await);
    world.solidify().await;
    world.finalise().await;
    world.reclaim(tx.delegation).await.unwrap();
    world.drain_jobs().await;
    world.mine(&[]).await;
    assert!(!world.has_job("delegations.reclaim", tx.delegation).await);
}

#[tokio::test]
async fn outcomes_of_one_block_do_not_mix() {
    let world = world_with_wallet().await;
    let orders = [world.order(1).await, world.order(2).await, world.order(3).await];
    let mut seen = Vec::new();
    for (n, order) in orders.iter().enumerate() {
        let tx = world.claim(*order).await;
        let outcome = if n == 1 { TxOutcome::Failed } else { TxOutcome::Ok };
        seen.push(TransactionSeen { outcome, ..landed(&tx) });
    }
    world.mine(&seen).await;
    let states = [
        world.state(orders[0]).await,
        world.state(orders[1]).await,
        world.state(orders[2]).await,
    ];
    assert_eq!(
        states,
        [OrderState::Completed, OrderState::Processing, OrderState::Completed]
    );
}
