//! The ends that give money back before anything was signed, and their races with the claim.

use std::sync::Arc;

use chrono::Duration;
use db::models::OrderState;
use db::run_tx;
use domain::DomainError;
use domain::orders::{cancel_by_user, cancel_past_deadline, fail_in_tx, wake_pending};
use kernel::OrderId;
use switchyard_domain as domain;

use crate::harness::Tried;
use crate::world::{STAKE, World};

async fn cancel(world: &World, order: OrderId) -> Result<OrderState, DomainError> {
    let order = cancel_by_user(&world.api, &world.ids, order, "api_key:bot", world.now()).await?;
    Ok(order.state)
}

#[tokio::test]
async fn a_pending_order_is_cancelled_once() {
    let world = World::new().await;
    let order = world.order(1).await;
    assert_eq!(cancel(&world, order).await.unwrap(), OrderState::Cancelled);
    assert_eq!(world.money().await, [0, 0, 0]);
    assert_eq!(cancel(&world, order).await.unwrap(), OrderState::Cancelled);
    assert_eq!(world.money().await, [0, 0, 0]);
    assert_eq!(world.events(order).await, ["accepted", "cancelled"]);
    let found = world.find(order).await;
    assert_eq!(found.reason_code.as_deref(), Some("cancelled_by_user"));
    world.wallet(1, STAKE).await;
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::NotPending);
    world.assert_sound().await;
}

#[tokio::test]
async fn an_unknown_order_is_not_cancelled() {
    let world = World::new().await;
    let missing = cancel(&world, OrderId::new(&world.ids)).await;
    assert!(matches!(missing, Err(DomainError::NotFound("order"))), "{missing:?}");
}

#[tokio::test]
async fn what_is_signed_for_is_not_cancelled() {
    let world = World::new().await;
    world.wallet(1, STAKE).await;
    let (order, _) = world.deliver(1).await;
    let late = cancel(&world, order).await;
    assert!(
        matches!(late, Err(DomainError::NotCancellable(OrderState::Completed))),
        "{late:?}"
    );
    assert_eq!(world.money().await, [1, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_cancel_and_claim_exactly_one_wins() {
    let world = Arc::new(World::new().await);
    let wallet = world.wallet(1, STAKE * 100).await;
    let mut claimed = 0;
    for _ in 0..40 {
        let order = world.order(1).await;
        let (one, other) = (Arc::clone(&world), Arc::clone(&world));
        let cancelling = tokio::spawn(async move { cancel(&one, order).await });
        let claiming = tokio::spawn(async move { other.try_claim(order, STAKE).await.unwrap() });
        let (cancelled, tried) = (cancelling.await.unwrap(), claiming.await.unwrap());
        match (cancelled, tried) {
            (Ok(OrderState::Cancelled), Tried::NotPending) => {
                assert_eq!(world.state(order).await, OrderState::Cancelled);
                assert_eq!(world.count(&format!("delegations WHERE order_id = '{order}'")).await, 0);
            }
            (Err(DomainError::NotCancellable(OrderState::Processing)), Tried::Signed(_)) => {
                assert_eq!(world.state(order).await, OrderState::Processing);
                claimed += 1;
            }
            both => panic!("two winners or none: {both:?}"),
        }
    }
    assert_eq!(world.money().await, [claimed, claimed, 0]);
    assert_eq!(world.reserved(wallet).await, claimed * STAKE);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cancels_give_the_money_back_once() {
    let world = Arc::new(World::new().await);
    for _ in 0..10 {
        let order = world.order(1).await;
        let tasks = [0, 1, 2].map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { cancel(&world, order).await })
        });
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap(), OrderState::Cancelled);
        }
        assert_eq!(world.events(order).await, ["accepted", "cancelled"]);
    }
    assert_eq!(world.money().await, [0, 0, 0]);
    world.assert_sound().await;
}

#[tokio::test]
async fn the_sweep_cancels_what_is_past_its_deadline_and_nothing_else() {
    let world = World::new().await;
    world.wallet(1, STAKE).await;
    let old = [world.order(1).await, world.order(2).await, world.order(3).await];
    let processing = world.order(4).await;
    world.claim(processing).await;
    world.clock.advance_seconds(60);
    let young = world.order(5).await;
    world.clock.advance_seconds(world.policy.deadline.num_seconds() - 59);
    let sweep = async |limit| {
        cancel_past_deadline(&world.worker, &world.ids, limit, world.now())
            .await
            .unwrap()
    };
    assert_eq!([sweep(2).await, sweep(2).await, sweep(2).await], [2, 1, 0]);
    for order in old {
        assert_eq!(world.state(order).await, OrderState::Cancelled);
        assert_eq!(world.find(order).await.reason_code.as_deref(), Some("deadline_passed"));
    }
    assert_eq!(world.state(young).await, OrderState::Pending);
    assert_eq!(world.state(processing).await, OrderState::Processing);
    assert_eq!(world.money().await, [2, 2, 0]);
}

#[tokio::test]
async fn a_claim_past_the_deadline_gives_the_money_back() {
    let world = World::new().await;
    let wallet = world.wallet(1, STAKE).await;
    let order = world.order(1).await;
    world.clock.advance_seconds(world.policy.deadline.num_seconds());
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::PastDeadline);
    assert_eq!(world.state(order).await, OrderState::Cancelled);
    assert_eq!((world.money().await, world.reserved(wallet).await), ([0, 0, 0], 0));
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::NotPending);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sweep_and_claim_exactly_one_wins() {
    let world = Arc::new(World::new().await);
    world.wallet(1, STAKE * 100).await;
    for _ in 0..10 {
        let orders = [world.order(1).await, world.order(2).await];
        // by the claimer's clock the deadline is not over, by the sweeper's it is
        let late = world.now() + world.policy.deadline + Duration::seconds(1);
        let sweeper = Arc::clone(&world);
        let sweep = tokio::spawn(async move {
            cancel_past_deadline(&sweeper.worker, &sweeper.ids, 10, late)
                .await
                .unwrap()
        });
        let mut claimed = 0;
        for order in orders {
            claimed += usize::from(matches!(world.try_claim(order, STAKE).await.unwrap(), Tried::Signed(_)));
        }
        // what a claim held at that moment was skipped; nothing is both
        let cancelled = sweep.await.unwrap();
        assert_eq!(claimed + cancelled, 2);
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn pending_orders_can_be_woken() {
    let world = World::new().await;
    let orders = [world.order(1).await, world.order(2).await];
    cancel(&world, orders[1]).await.unwrap();
    world.drain_jobs().await;
    let (woken, wakes) = wake_pending(&world.worker, world.now()).await.unwrap();
    assert_eq!((woken, wakes.len()), (1, 1));
    assert!(world.has_job("orders.delegate", orders[0]).await);
}

#[tokio::test]
async fn an_order_that_cannot_be_delivered_is_refunded_once() {
    let world = World::new().await;
    world.wallet(1, STAKE).await;
    let order = world.order(1).await;
    let fail = async |from| {
        let now = world.now();
        run_tx(&world.worker, "test_fail", async |conn| {
            fail_in_tx(conn, &world.ids, order, from, "receiver_is_contract", now).await
        })
        .await
    };
    fail(OrderState::Pending).await.unwrap();
    let found = world.find(order).await;
    assert_eq!((found.state, world.money().await), (OrderState::Refunded, [0, 0, 0]));
    assert_eq!(found.reason_code.as_deref(), Some("receiver_is_contract"));
    for from in [OrderState::Pending, OrderState::Processing, OrderState::Refunded] {
        let twice = fail(from).await;
        assert!(
            matches!(twice, Err(DomainError::Broken(_) | DomainError::Db(_))),
            "{twice:?}"
        );
    }
    assert_eq!(world.events(order).await, ["accepted", "failed", "refunded"]);
    assert_eq!(world.money().await, [0, 0, 0]);
    assert!(matches!(
        cancel(&world, order).await,
        Err(DomainError::NotCancellable(OrderState::Refunded))
    ));
    assert_eq!(world.try_claim(order, STAKE).await.unwrap(), Tried::NotPending);
    world.assert_sound().await;
}
