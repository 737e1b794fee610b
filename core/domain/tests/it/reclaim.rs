//! Taking energy back: not before its time, exactly what was given, and until it succeeds.

use chain::{Block, Refusal};
use chrono::Duration;
use db::models::{DelegationState, OrderState, TxState};
use kernel::OrderId;

use crate::harness::{Tx, failed, landed, refused};
use crate::world::{HOUR, STAKE, World};

async fn world_with_wallet() -> World {
    let world = World::new().await;
    world.wallet(1, STAKE * 10).await;
    world
}

async fn state(world: &World, tx: &Tx) -> DelegationState {
    world.delegation(tx.delegation).await.state
}

#[tokio::test]
async fn a_rental_is_taken_back_after_its_end_by_the_clock_of_the_chain() {
    let world = world_with_wallet().await;
    let (order, tx) = world.deliver(1).await;
    world.solidify().await;
    world.finalise().await;
    world.clock.advance_seconds(10 * i64::from(HOUR));
    assert_eq!(world.reclaim(tx.delegation).await, Err("not yet"));
    let ends_at = world.delegation(tx.delegation).await.ends_at.unwrap();
    world.mine_at(ends_at - Duration::microseconds(1)).await;
    assert_eq!(world.reclaim(tx.delegation).await, Err("not yet"));
    world.mine_at(ends_at).await;
    let back = world.reclaim(tx.delegation).await.unwrap();
    assert_eq!(
        (back.wallet, state(&world, &tx).await),
        (tx.wallet, DelegationState::Reclaiming)
    );
    assert_eq!(world.reclaim(tx.delegation).await, Err("nothing to do"));
    let Block { at, .. } = world.mine(&[landed(&back)]).await;
    let delegation = world.delegation(tx.delegation).await;
    assert_eq!(
        (delegation.state, delegation.reclaimed_at),
        (DelegationState::Reclaimed, Some(at.time))
    );
    assert_eq!(delegation.reclaim_block_number, Some(at.number));
    assert_eq!((world.reserved(tx.wallet).await, world.money().await), (0, [1, 0, 1]));
    assert_eq!(world.state(order).await, OrderState::Completed);
    assert_eq!(world.reclaim(tx.delegation).await, Err("nothing to do"));
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    assert_eq!(world.tx_state(&back).await, TxState::Final);
    assert_eq!((world.findings().await, world.money().await), (Vec::new(), [1, 0, 1]));
    world.assert_sound().await;
}

#[tokio::test]
async fn what_a_fork_may_take_away_is_not_undone_yet() {
    let world = world_with_wallet().await;
    let (_, tx) = world.deliver(1).await;
    let ends_at = world.delegation(tx.delegation).await.ends_at.unwrap();
    world.mine_at(ends_at).await;
    assert_eq!(world.reclaim(tx.delegation).await, Err("not yet"));
    world.solidify().await;
    assert_eq!(world.reclaim(tx.delegation).await, Err("not yet"));
    world.finalise().await;
    world.reclaim(tx.delegation).await.unwrap();
}

#[tokio::test]
async fn nothing_is_undone_on_an_old_view_of_the_chain() {
    let world = world_with_wallet().await;
    let (_, tx) = world.ended(1).await;
    world
        .db
        .sql("UPDATE chain_cursors SET updated_at = now() - interval '61 seconds'")
        .await;
    assert_eq!(world.reclaim(tx.delegation).await, Err("not yet"));
    assert_eq!(state(&world, &tx).await, DelegationState::Active);
}

#[tokio::test]
async fn a_wallet_out_of_service_still_takes_back() {
    let world = world_with_wallet().await;
    let (_, tx) = world.ended(1).await;
    world
        .db
        .sql("UPDATE supplier_wallets SET enabled = false, isolated_at = now(), isolated_reason = 'x'")
        .await;
    let back = world.reclaim(tx.delegation).await.unwrap();
    world.mine(&[landed(&back)]).await;
    assert_eq!(state(&world, &tx).await, DelegationState::Reclaimed);
}

#[tokio::test]
async fn overlapping_rentals_of_one_pair_stay_apart() {
    let world = world_with_wallet().await;
    let first = world.order(1).await;
    let one = world.try_claim(first, STAKE).await.unwrap().signed();
    world.mine(&[landed(&one)]).await;
    world.mine_at(world.head().await.time + Duration::seconds(600)).await;
    let second = world.order(1).await;
    let two = world.try_claim(second, STAKE * 2 + 1).await.unwrap().signed();
    assert_eq!(one.wallet, two.wallet);
    world.mine(&[landed(&two)]).await;
    world.solidify().await;
    world.finalise().await;
    world
        .mine_at(world.delegation(one.delegation).await.ends_at.unwrap())
        .await;
    assert!(world.has_job("delegations.reclaim", one.delegation).await);
    assert!(!world.has_job("delegations.reclaim", two.delegation).await);
    assert_eq!(world.reclaim(two.delegation).await, Err("not yet"));
    let back = world.reclaim(one.delegation).await.unwrap();
    world.mine(&[landed(&back)]).await;
    assert_eq!(world.delegation(one.delegation).await.amount_sun, STAKE);
    let still = world.delegation(two.delegation).await;
    assert_eq!(
        (still.state, still.amount_sun),
        (DelegationState::Active, STAKE * 2 + 1)
    );
    // the first is given back as far as the last sync knows of it: it does not, so only the second counts
    assert_eq!(world.reserved(one.wallet).await, STAKE * 2 + 1);
    world.mine_at(still.ends_at.unwrap()).await;
    let back = world.reclaim(two.delegation).await.unwrap();
    world.mine(&[landed(&back)]).await;
    assert_eq!(
        (state(&world, &two).await, world.reserved(one.wallet).await),
        (DelegationState::Reclaimed, 0)
    );
    world.assert_sound().await;
}

/// The reclaim died: the delegation is on chain still, an operator knows, and it is tried again later.
async fn assert_tried_again(world: &World, order: OrderId, tx: &Tx) {
    assert_eq!(state(world, tx).await, DelegationState::Active);
    let mut findings = world.findings().await;
    findings.retain(|kind| kind != "chain.nothing_lands"); // where it expired unrefused, nothing else was there to land
    assert_eq!(findings, ["delegations.reclaim_fails"]);
    assert!(world.has_job("delegations.reclaim", tx.delegation).await);
    assert_eq!(
        (world.state(order).await, world.money().await),
        (OrderState::Completed, [1, 0, 1])
    );
}

#[tokio::test]
async fn a_refused_reclaim_is_an_alarm_until_it_succeeds() {
    let world = world_with_wallet().await;
    let (order, tx) = world.ended(1).await;
    let first = world.reclaim(tx.delegation).await.unwrap();
    world.drain_jobs().await;
    // a node that refuses may have taken it, and another reclaim would take what the receiver has from another rental
    assert!(
        !world
            .answer(&first, &refused(Refusal::DelegationMissing), true)
            .await
            .died
    );
    assert_eq!(state(&world, &tx).await, DelegationState::Reclaiming);
    assert_eq!(world.reclaim(tx.delegation).await, Err("nothing to do"));
    // that it is too late by now says nothing of why it was refused
    world.answer(&first, &refused(Refusal::BadReference), false).await;
    world.expire(&first).await;
    assert_eq!(
        world.findings().await,
        ["delegations.reclaim_fails"],
        "the network takes transactions, for all that this one tells"
    );
    assert_tried_again(&world, order, &tx).await;
    assert_eq!(
        world
            .word("SELECT detail->>'code' AS word FROM findings WHERE kind = 'delegations.reclaim_fails'")
            .await,
        "CONTRACT_VALIDATE_ERROR"
    );
    let due = format!(
        "jobs WHERE next_run_at = '{}'",
        (world.now() + world.death.retry_after).to_rfc3339()
    );
    assert_eq!(world.count(&due).await, 1);
    let second = world.reclaim(tx.delegation).await.unwrap();
    assert_ne!(first.txid, second.txid);
    world.mine(&[landed(&second)]).await;
    assert_eq!(
        (state(&world, &tx).await, world.findings().await),
        (DelegationState::Reclaimed, Vec::new())
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn a_reclaim_that_expires_is_tried_again() {
    let world = world_with_wallet().await;
    let (order, tx) = world.ended(1).await;
    let first = world.reclaim(tx.delegation).await.unwrap();
    world.drain_jobs().await;
    world.expire(&first).await;
    assert_tried_again(&world, order, &tx).await;
    world.reclaim(tx.delegation).await.unwrap();
}

#[tokio::test]
async fn a_reclaim_that_fails_on_chain_is_tried_again_once_that_is_final() {
    let world = world_with_wallet().await;
    let (order, tx) = world.ended(1).await;
    let first = world.reclaim(tx.delegation).await.unwrap();
    world.mine(&[failed(&first)]).await;
    assert_eq!(state(&world, &tx).await, DelegationState::Reclaiming);
    world.drain_jobs().await;
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    assert_tried_again(&world, order, &tx).await;
    let second = world.reclaim(tx.delegation).await.unwrap();
    world.mine(&[landed(&second)]).await;
    assert_eq!(state(&world, &tx).await, DelegationState::Reclaimed);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_receiver_that_vanished_does_not_refund_an_earned_order() {
    let world = world_with_wallet().await;
    let (order, tx) = world.ended(1).await;
    let back = world.reclaim(tx.delegation).await.unwrap();
    world.answer(&back, &refused(Refusal::ReceiverNotActivated), true).await;
    world.expire(&back).await;
    assert_tried_again(&world, order, &tx).await;
}
