//! Orders that cannot be delivered, or not yet, or are no longer wanted: the money is back, and once.

use ::chain::TronAddress;
use db::models::OrderState;
use jobs::JobKind;
use kernel::UserId;
use tron::PrivateKey;

use crate::harness::{Rig, Wish};

/// The token's contract, as on mainnet.
const USDT: &str = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_cannot_receive_gets_the_money_back_at_once() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.supplier(50_000).await;
    let nobody = PrivateKey::generate().unwrap().address();
    let cases: [(TronAddress, &str); 2] = [
        (nobody, "receiver_not_activated"),
        (USDT.parse().unwrap(), "receiver_is_contract"),
    ];
    for (receiver, reason) in cases {
        let before = rig.balance(UserId(1)).await;
        let wish = Wish { receiver, ..rig.wish() };
        let order = rig.order(wish).await;
        // without a single block more
        rig.meanwhile("refunded", async || rig.find(order).await.state == OrderState::Refunded)
            .await;
        assert_eq!(rig.find(order).await.reason_code.as_deref(), Some(reason));
        assert_eq!(rig.timeline(order).await, ["accepted", "failed", "refunded"]);
        assert_eq!(rig.balance(UserId(1)).await, before);
        assert_eq!(rig.detail(order).await.transactions.len(), 0, "nothing was signed");
    }
    assert_eq!(rig.devnet.calls("/wallet/broadcasthex"), 0);

    // one of our own is told before anything is paid
    let ours = Wish {
        receiver: supplier.address,
        ..rig.wish()
    };
    assert_eq!(rig.try_order(ours).await, Err("receiver_is_supplier".into()));

    // an account that comes to life later is not held against its past
    rig.devnet.faucet(nobody, 1_000_000).unwrap();
    let wish = Wish {
        receiver: nobody,
        ..rig.wish()
    };
    let order = rig.order(wish).await;
    rig.wait_settled(order).await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_waits_for_a_wallet_that_fits() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("pool.no_wallet_fits");
    rig.supplier(1_000).await;
    let order = rig.order(rig.wish()).await;
    rig.until("it says why it waits", async || {
        rig.find(order).await.reason_code.as_deref() == Some("no_wallet_fits")
    })
    .await;
    assert_eq!(rig.find(order).await.state, OrderState::Pending);
    assert_eq!(rig.open_findings().await, ["pool.no_wallet_fits tron"]);

    let large = rig.supplier(50_000).await;
    rig.wait_settled(order).await;
    let detail = rig.detail(order).await;
    assert_eq!(detail.delegations[0].1, Some(large.address.to_string()));
    assert_eq!(detail.order.attempts, 1, "waiting is no attempt");
    rig.ask(JobKind::WalletsCheckStock, "tron").await;
    rig.until("the alert is over", async || rig.open_findings().await.is_empty())
        .await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_delivered_by_its_deadline_is_cancelled() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("pool.no_wallet_fits");
    let before = rig.balance(UserId(1)).await;

    // nothing is known of any wallet, not even the market: the sweep cancels
    let early = rig.order(rig.wish()).await;
    rig.pass(601);
    rig.ask(JobKind::OrdersCancelExpired, "all").await;
    rig.wait_for(early, OrderState::Cancelled).await;

    // no wallet fits: its own job does, at the deadline
    rig.supplier(1_000).await;
    let late = rig.order(rig.wish()).await;
    rig.until("it waits", async || rig.find(late).await.reason_code.is_some())
        .await;
    rig.wait_for(late, OrderState::Cancelled).await;

    for order in [early, late] {
        let order = rig.find(order).await;
        assert_eq!(order.reason_code.as_deref(), Some("deadline_passed"));
        assert!(order.updated_at >= order.deadline_at, "not before its deadline");
    }
    assert_eq!(rig.balance(UserId(1)).await, before);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_order_can_be_cancelled_and_a_signed_one_cannot() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("pool.no_wallet_fits");
    rig.supplier(1_000).await;
    let before = rig.balance(UserId(1)).await;
    let order = rig.order(rig.wish()).await;
    rig.until("it waits", async || rig.find(order).await.reason_code.is_some())
        .await;
    assert_eq!(rig.cancel(order).await.unwrap(), "cancelled");
    assert_eq!(rig.cancel(order).await.unwrap(), "cancelled", "again is no error");
    assert_eq!(rig.balance(UserId(1)).await, before, "back once");
    assert_eq!(rig.timeline(order).await, ["accepted", "cancelled"]);

    // a wallet that fits comes too late for it
    rig.supplier(50_000).await;
    let signed = rig.order(rig.wish()).await;
    rig.wait_for(signed, OrderState::Processing).await;
    assert_eq!(rig.cancel(signed).await, Err("order_not_cancellable".into()));
    rig.wait_settled(signed).await;
    assert_eq!(rig.find(order).await.state, OrderState::Cancelled);
    rig.judge().await;
}
