//! Orders that go well: one, two that meet at one receiver, and many at once.

use db::models::{DelegationState, IntentKind, OrderState};
use kernel::UserId;

use crate::harness::{Does, Rig, Wish};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_delivered_paid_and_taken_back() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.supplier(50_000).await;
    let before = rig.balance(UserId(1)).await;

    let order = rig.order(rig.wish()).await;
    assert_eq!(
        rig.balance(UserId(1)).await,
        before - 3_900_000,
        "held at once: 65,000 × 60 sun"
    );
    rig.wait_for(order, OrderState::Completed).await;
    let delivered = rig.detail(order).await;
    let (delegation, by) = delivered.delegations[0].clone();
    assert_eq!(by, Some(supplier.address.to_string()));
    assert_eq!(delegation.state, DelegationState::Active);
    assert_eq!(
        delegation.ends_at,
        delegation.active_at.map(|at| at + chrono::TimeDelta::seconds(300)),
        "by the chain's clock"
    );
    assert_eq!(delivered.order.settled_at, None, "the block can still be reverted");

    rig.wait_settled(order).await;
    rig.pass(300);
    rig.wait_event(order, "reclaimed").await;

    let detail = rig.detail(order).await;
    let events: Vec<&str> = detail.events.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(events, ["accepted", "signed", "completed", "settled", "reclaimed"]);
    let kinds: Vec<IntentKind> = detail.transactions.iter().map(|tx| tx.intent_kind).collect();
    assert_eq!(kinds, [IntentKind::Delegate, IntentKind::Reclaim]);
    assert!(detail.transactions.iter().all(|tx| tx.sends == 1), "each was sent once");
    assert_eq!(detail.delegations[0].0.state, DelegationState::Reclaimed);

    rig.quiesce().await;
    assert_eq!(rig.devnet.calls("/wallet/broadcasthex"), 2);
    // each read of a wallet asks for its room and its account; beside them, only the receiver's account was asked for
    let reads = rig.devnet.calls("/wallet/getcandelegatedmaxsize");
    assert_eq!(rig.devnet.calls("/wallet/getaccount"), reads + 1);
    assert!(reads <= 8, "the wallet was read {reads} times");
    assert_eq!(rig.wallet(supplier.id).await.reserved_sun, 0);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_one_rental_leaves_another_of_the_same_receiver_whole() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.supplier(100_000).await;
    let short = rig.wish();
    let long = Wish {
        duration_s: 900,
        energy: 131_000,
        ..short
    };
    let first = rig.order(short).await;
    let second = rig.order(long).await;
    rig.wait_settled(first).await;
    rig.wait_settled(second).await;
    let sun = async |order| rig.detail(order).await.delegations[0].0.amount_sun;
    let (first_sun, second_sun) = (sun(first).await, sun(second).await);
    assert_eq!(rig.lent(supplier.address, short.receiver).await, first_sun + second_sun);

    rig.pass(300);
    rig.wait_event(first, "reclaimed").await;
    assert_eq!(rig.lent(supplier.address, short.receiver).await, second_sun, "whole");
    assert_eq!(rig.detail(second).await.delegations[0].0.state, DelegationState::Active);

    rig.pass(600);
    rig.wait_event(second, "reclaimed").await;
    assert_eq!(rig.lent(supplier.address, short.receiver).await, 0);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_deliver_fifty_orders_at_once() {
    let (rig, _one) = Rig::with_worker().await;
    let _two = rig.start(Does::Everything);
    // room for 17, 21 and 28 orders of some 7,000 TRX each: enough for all, and not in any two of them
    for stake in [120_000, 150_000, 200_000] {
        rig.supplier(stake).await;
    }
    let wishes: Vec<Wish> = (0..50).map(|_| rig.wish()).collect();
    let orders = futures::future::join_all(wishes.into_iter().map(|wish| rig.order(wish))).await;
    for order in &orders {
        rig.wait_settled(*order).await;
    }
    for order in &orders {
        let detail = rig.detail(*order).await;
        assert_eq!(
            (detail.order.attempts, detail.transactions.len()),
            (1, 1),
            "at the first attempt"
        );
    }
    assert_eq!(rig.devnet.calls("/wallet/broadcasthex"), 50);
    rig.pass(300);
    rig.until("all is taken back", async || {
        rig.count("SELECT count(*) AS n FROM delegations WHERE state <> 'reclaimed'")
            .await
            == 0
    })
    .await;
    rig.judge().await;
}
