//! Forks: what a reverted block did is undone, and may happen again once.

use chain::BlockRef;
use db::models::{BlockRow, DelegationState, OrderState, TxState};
use db::run_tx;
use domain::watch::{Applied, ForkOutcome, SolidOutcome, halt, revert_in_tx};
use switchyard_domain as domain;

use crate::harness::{Tx, block_on, failed, landed, reference};
use crate::world::{NETWORK, STAKE, World};

async fn world_with_wallet() -> World {
    let world = World::new().await;
    world.wallet(1, STAKE * 10).await;
    world
}

/// Another branch of the chain on top of block `number`, long enough to be believed.
async fn branch(world: &World, number: i64, seen: &[chain::TransactionSeen]) -> BlockRef {
    let first = block_on(&reference(&world.block(number).await), 1, seen);
    let second = block_on(&first.at, 1, &[]);
    let blocks = [first, second];
    assert!(matches!(world.apply(&blocks).await.unwrap(), Applied::Done { .. }));
    blocks[1].at.clone()
}

async fn assert_reverted(world: &World, number: i64, expected: (usize, usize)) {
    match world.revert_to(number).await {
        ForkOutcome::Reverted {
            blocks, transactions, ..
        } => assert_eq!((blocks, transactions), expected),
        other => panic!("{other:?}"),
    }
    let cursor = world.cursor().await;
    assert_eq!(
        (cursor.head_number, cursor.head_block_id),
        (number, world.block(number).await.block_id)
    );
    assert_eq!(world.count(&format!("blocks WHERE number > {number}")).await, 0);
}

async fn states(world: &World, tx: &Tx) -> (OrderState, DelegationState, TxState) {
    let delegation = world.delegation(tx.delegation).await;
    let order = world.state(kernel::OrderId(delegation.order_id)).await;
    (order, delegation.state, world.tx_state(tx).await)
}

#[tokio::test]
async fn a_reverted_delivery_is_on_its_way_again() {
    let world = world_with_wallet().await;
    let (order, tx) = world.deliver(1).await;
    world.mine(&[]).await;
    assert_reverted(&world, 1000, (2, 1)).await;
    let expected = (OrderState::Processing, DelegationState::Reserved, TxState::Sent);
    assert_eq!(states(&world, &tx).await, expected);
    let row = world.tx_row(&tx).await;
    assert_eq!(
        (row.block_number, row.outcome, row.next_check_at),
        (None, None, world.now())
    );
    assert_eq!(
        (world.money().await, world.reserved(tx.wallet).await),
        ([1, 1, 0], STAKE)
    );
    assert_eq!(world.find(order).await.reason_code.as_deref(), Some("block_reverted"));
    world.assert_sound().await;

    let head = branch(&world, 1000, &[landed(&tx)]).await;
    assert_eq!(states(&world, &tx).await.0, OrderState::Completed);
    assert_eq!(world.delegation(tx.delegation).await.block_number, Some(1001));
    assert!(matches!(world.try_solid(&head).await, SolidOutcome::Done { .. }));
    assert_eq!([world.finalise().await, world.finalise().await], [1, 0]);
    assert_eq!(world.money().await, [1, 0, 1]);
    let events = ["accepted", "signed", "completed", "reverted", "completed", "settled"];
    assert_eq!(world.events(order).await, events);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_reverted_delivery_that_never_lands_again_is_tried_anew() {
    let world = world_with_wallet().await;
    let (order, tx) = world.deliver(1).await;
    assert_reverted(&world, 1000, (1, 1)).await;
    world.mine_at(tx.expires_at).await;
    assert!(!world.bury(&tx).await);
    world.solidify().await;
    assert!(world.bury(&tx).await);
    let expected = (OrderState::Pending, DelegationState::Released, TxState::Dead);
    assert_eq!(states(&world, &tx).await, expected);
    assert_eq!((world.money().await, world.reserved(tx.wallet).await), ([1, 1, 0], 0));
    world.assert_sound().await;
    let again = world.claim(order).await;
    world.mine(&[landed(&again)]).await;
    assert_eq!(world.state(order).await, OrderState::Completed);
}

#[tokio::test]
async fn a_failure_that_is_reverted_may_become_a_success() {
    let world = world_with_wallet().await;
    let tx = world.claim(world.order(1).await).await;
    world.mine(&[failed(&tx)]).await;
    assert_reverted(&world, 1000, (1, 1)).await;
    let expected = (OrderState::Processing, DelegationState::Reserved, TxState::Sent);
    assert_eq!(states(&world, &tx).await, expected);
    branch(&world, 1000, &[landed(&tx)]).await;
    assert_eq!(states(&world, &tx).await.0, OrderState::Completed);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_success_that_is_reverted_may_become_a_failure() {
    let world = world_with_wallet().await;
    let (order, tx) = world.deliver(1).await;
    assert_reverted(&world, 1000, (1, 1)).await;
    let head = branch(&world, 1000, &[failed(&tx)]).await;
    assert!(matches!(world.try_solid(&head).await, SolidOutcome::Done { .. }));
    assert_eq!(world.finalise().await, 1);
    let expected = (OrderState::Pending, DelegationState::Released, TxState::Final);
    assert_eq!(states(&world, &tx).await, expected);
    assert_eq!(world.money().await, [1, 1, 0]);
    world.claim(order).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn a_reverted_reclaim_is_on_its_way_again() {
    let world = world_with_wallet().await;
    let (order, tx) = world.ended(1).await;
    let back = world.reclaim(tx.delegation).await.unwrap();
    let at = world.head().await.number;
    world.mine(&[landed(&back)]).await;
    assert_eq!(world.delegation(tx.delegation).await.state, DelegationState::Reclaimed);
    assert_reverted(&world, at, (1, 1)).await;
    let delegation = world.delegation(tx.delegation).await;
    assert_eq!(
        (delegation.state, delegation.reclaim_block_number),
        (DelegationState::Reclaiming, None)
    );
    assert_eq!(world.reclaim(tx.delegation).await, Err("nothing to do"));
    assert_eq!(
        (world.state(order).await, world.money().await),
        (OrderState::Completed, [1, 0, 1])
    );
    world.assert_sound().await;
    branch(&world, at, &[landed(&back)]).await;
    assert_eq!(world.delegation(tx.delegation).await.state, DelegationState::Reclaimed);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_is_solidified_is_never_taken_back() {
    let world = world_with_wallet().await;
    let (_, tx) = world.deliver(1).await;
    world.solidify().await;
    world.mine(&[]).await;
    assert_eq!(world.revert_to(1000).await, ForkOutcome::BelowSolid);
    assert_eq!(
        (world.cursor().await.head_number, world.count("blocks").await),
        (1002, 3)
    );
    assert_eq!(states(&world, &tx).await.2, TxState::Included);
    assert_reverted(&world, 1001, (1, 0)).await;
}

#[tokio::test]
async fn a_fork_is_followed_from_where_the_cursor_stands() {
    let world = world_with_wallet().await;
    let (_, tx) = world.deliver(1).await;
    let stored = world.block(1000).await;
    let head = world.cursor().await.head_block_id;
    let revert = async |head: &str, ancestor: &BlockRow| {
        let now = world.now();
        run_tx(&world.worker, "test_revert", async |conn| {
            revert_in_tx(conn, &world.ids, NETWORK, head, ancestor, now).await
        })
        .await
        .unwrap()
    };
    let foreign = BlockRow {
        block_id: "ef".repeat(32),
        ..stored.clone()
    };
    assert_eq!(revert(&head, &foreign).await, ForkOutcome::Moved);
    assert_eq!(revert(&stored.block_id, &stored).await, ForkOutcome::Moved);
    let judged_from = "ee".repeat(32);
    assert!(
        !halt(
            &world.worker,
            &world.ids,
            (NETWORK, &judged_from),
            "a test",
            world.now()
        )
        .await
        .unwrap(),
        "the cursor stands elsewhere"
    );
    world.halt("a test").await;
    assert_eq!(revert(&head, &stored).await, ForkOutcome::Moved);
    assert_eq!(states(&world, &tx).await.2, TxState::Included);
}

#[tokio::test]
async fn figures_of_a_lost_branch_are_not_believed_for_the_new_one() {
    let world = world_with_wallet().await;
    for _ in 0..6 {
        world.mine(&[]).await;
    }
    // as a sync up to the head would leave it
    world.db.sql("UPDATE supplier_wallets SET synced_block = 1006").await;
    assert_reverted(&world, 1001, (5, 0)).await;
    let (_, tx) = world.deliver(1).await;
    assert_eq!(world.head().await.number, 1002);
    // the figures do not know of this delegation: its stake stays reserved
    assert_eq!(world.reserved(tx.wallet).await, STAKE);
    world.assert_sound().await;
}
