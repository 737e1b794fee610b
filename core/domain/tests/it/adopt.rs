//! A transaction that we held for dead and that is in a block: found, adopted, and its stake taken back.

use chain::Refusal;
use db::models::{DelegationState, OrderState, TxState};
use domain::delegations::Adoption;
use switchyard_domain as domain;

use crate::harness::{landed, refused};
use crate::world::{STAKE, World};

#[track_caller]
fn adopted(adoption: &Adoption) {
    assert!(matches!(adoption, Adoption::Adopted { .. }), "{adoption:?}");
}

#[tokio::test]
async fn a_stray_is_taken_back_and_delivers_nothing() {
    for delivered in [true, false] {
        let world = World::new().await;
        world.wallet(1, STAKE * 10).await;
        let order = world.order(1).await;
        let dead = world.claim(order).await;
        let refusal = if delivered {
            Refusal::InsufficientStake
        } else {
            Refusal::ReceiverNotActivated
        };
        world.answer(&dead, &refused(refusal), true).await;
        let alive = if delivered {
            Some(world.claim(order).await)
        } else {
            None
        };
        let in_block: Vec<_> = alive.iter().chain([&dead]).map(landed).collect();
        let block = world.mine(&in_block).await;
        assert_eq!(world.findings().await, ["chain.dead_transaction_landed"]);
        assert_eq!(
            world.adopt(&dead, &block).await,
            Adoption::Refused("its block is not solid by our own reading yet")
        );
        world.solidify().await;
        world.finalise().await;
        let money = world.money().await;
        let state = world.state(order).await;

        adopted(&world.adopt(&dead, &block).await);
        let stray = world.delegation(dead.delegation).await;
        assert_eq!(
            (stray.state, stray.stray, stray.ends_at),
            (DelegationState::Active, true, Some(block.at.time))
        );
        assert_eq!(world.tx_state(&dead).await, TxState::Final);
        assert!(world.has_job("delegations.reclaim", dead.delegation).await);
        assert_eq!(world.findings().await, [""; 0]);
        assert_eq!(
            world.adopt(&dead, &block).await,
            Adoption::Refused("it is not held for dead")
        );
        assert_eq!(
            (world.money().await, world.state(order).await),
            (money, state),
            "no money moves"
        );

        let back = world.reclaim(dead.delegation).await.unwrap();
        world.mine(&[landed(&back)]).await;
        world.solidify().await;
        world.finalise().await;
        assert_eq!(
            world.delegation(dead.delegation).await.state,
            DelegationState::Reclaimed
        );
        let expected = if delivered {
            OrderState::Completed
        } else {
            OrderState::Refunded
        };
        assert_eq!((world.money().await, world.state(order).await), (money, expected));
        let events = world.events(order).await;
        assert_eq!(events[events.len() - 2..], ["adopted", "reclaimed"]);
        let told =
            format!("SELECT state AS word FROM order_events WHERE order_id = '{order}' ORDER BY id DESC LIMIT 1");
        assert_eq!(
            world.word(&told).await,
            expected.word(),
            "the timeline says what the order is"
        );
        world.assert_sound().await;
    }
}

#[tokio::test]
async fn a_reclaim_is_adopted_only_while_no_other_is_on_its_way() {
    let world = World::new().await;
    world.wallet(1, STAKE * 10).await;
    let (order, tx) = world.ended(1).await;
    let dead = world.reclaim(tx.delegation).await.unwrap();
    world.expire(&dead).await;
    let block = world.mine(&[landed(&dead)]).await;
    world.solidify().await;
    let other = world.reclaim(tx.delegation).await.unwrap();
    let busy = Adoption::Refused("another reclaim is on its way, or has landed: wait until it is over");
    assert_eq!(world.adopt(&dead, &block).await, busy);
    world.expire(&other).await;
    adopted(&world.adopt(&dead, &block).await);
    let delegation = world.delegation(tx.delegation).await;
    assert_eq!(
        (delegation.state, delegation.reclaim_block_number, delegation.stray),
        (DelegationState::Reclaimed, Some(block.at.number), false)
    );
    assert_eq!(world.findings().await, ["chain.nothing_lands"], "two expired alone");
    assert_eq!(world.reclaim(tx.delegation).await, Err("nothing to do"));
    assert_eq!(world.events(order).await.last().unwrap(), "adopted");
    world.assert_sound().await;
}

#[tokio::test]
async fn only_an_adoption_makes_a_stray() {
    let world = World::new().await;
    world.wallet(1, STAKE * 10).await;
    let order = world.order(1).await;
    let dead = world.claim(order).await;
    world.answer(&dead, &refused(Refusal::InsufficientStake), true).await;
    let times = "block_number = 1, active_at = now(), ends_at = now()";
    for set in [
        "stray = true".to_owned(),
        format!("state = 'active', {times}"),
        format!("state = 'reclaiming', stray = true, {times}"),
    ] {
        let refused = world.db.try_sql(&format!("UPDATE delegations SET {set}")).await;
        assert!(refused.is_err(), "{set}");
    }
    world
        .db
        .sql(&format!(
            "UPDATE delegations SET state = 'active', stray = true, {times}"
        ))
        .await;
    let refused = world.db.try_sql("UPDATE delegations SET stray = false").await;
    assert!(refused.is_err(), "once a stray, always one");
}
