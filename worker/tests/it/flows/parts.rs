//! Orders larger than any wallet: several wallets share them, all or nothing.

use db::models::{DelegationState, OrderState};
use devnet::{Fault, FaultRule};
use kernel::{UserId, WalletId};
use serde_json::json;

use crate::harness::{Rig, Wish};

/// Where signed bytes go.
const SEND: &str = "/wallet/broadcasthex";

/// Three wallets, and an order that takes all of two and some of the third.
async fn large(rig: &Rig) -> Wish {
    for _ in 0..3 {
        rig.supplier(50_000).await;
    }
    let one = rig.largest_order().await / 3;
    Wish {
        energy: one * 5 / 2,
        ..rig.wish()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_larger_than_any_wallet_is_shared_delivered_once_and_taken_back() {
    let (rig, _worker) = Rig::with_worker().await;
    let wish = large(&rig).await;
    let order = rig.order(wish).await;
    rig.wait_settled(order).await;
    let detail = rig.detail(order).await;
    let energy: i64 = detail.delegations.iter().map(|(part, _)| part.energy).sum();
    assert_eq!((detail.delegations.len(), energy), (3, wish.energy));
    assert_eq!(detail.order.attempts, 1);
    for (part, address) in &detail.delegations {
        assert_eq!(
            (part.state, part.ends_at),
            (DelegationState::Active, detail.order.ends_at)
        );
        let from = address.as_deref().unwrap().parse().unwrap();
        assert_eq!(rig.lent(from, wish.receiver).await, part.amount_sun);
    }
    assert_eq!(rig.devnet.calls(SEND), 3);

    rig.pass(300);
    rig.wait_event(order, "reclaimed").await;
    for (_, address) in &detail.delegations {
        let from = address.as_deref().unwrap().parse().unwrap();
        assert_eq!(rig.lent(from, wish.receiver).await, 0);
    }
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_refused_comes_from_another_wallet() {
    let (rig, _worker) = Rig::with_worker().await;
    let wish = large(&rig).await;
    rig.supplier(50_000).await;
    let message = "delegateBalance must be less than or equal to available FreezeEnergyV2 balance";
    let refusal = Fault::HttpStatus {
        status: 200,
        body: json!({ "code": "CONTRACT_VALIDATE_ERROR", "message": hex::encode(message) }).to_string(),
    };
    rig.devnet.add_fault(FaultRule::times(SEND, 1, refusal)).unwrap();
    let order = rig.order(wish).await;
    rig.wait_settled(order).await;
    let detail = rig.detail(order).await;
    let given_up = |state| {
        detail
            .delegations
            .iter()
            .filter(|(part, _)| part.state == state)
            .count()
    };
    assert_eq!(given_up(DelegationState::Released), 1);
    let active: i64 = detail
        .delegations
        .iter()
        .filter(|(part, _)| part.state == DelegationState::Active)
        .map(|(part, _)| part.energy)
        .sum();
    assert_eq!(active, wish.energy, "no more and no less than was sold");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_cannot_be_had_whole_is_paid_back_and_leaves_nothing_lent() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("chain.nothing_lands");
    let wish = large(&rig).await;
    let before = rig.balance(UserId(1)).await;
    // one part is lost on its way, however often it is sent; by the time that is certain nobody takes orders any more
    let lost = FaultRule::times(SEND, 1, Fault::AcceptAndLose);
    rig.devnet.add_fault(lost).unwrap();
    let order = rig.order(wish).await;
    rig.until("two parts are on chain", async || {
        let parts = rig.timeline(order).await;
        parts.iter().filter(|event| *event == "part_delegated").count() == 2
    })
    .await;
    assert!(rig.balance(UserId(1)).await < before);
    for (part, _) in rig.detail(order).await.delegations {
        rig.toggle(WalletId(part.wallet_id), false).await;
    }
    rig.pass(600);
    rig.wait_for(order, OrderState::Refunded).await;
    assert_eq!(rig.balance(UserId(1)).await, before);
    rig.until("nothing is lent", async || {
        rig.mine(1);
        rig.count("SELECT count(*) AS n FROM delegations WHERE state IN ('reserved', 'active', 'reclaiming')")
            .await
            == 0
    })
    .await;
    assert!(!rig.timeline(order).await.contains(&"completed".to_owned()));
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_time_is_bought_for_every_part_and_none_is_taken_back_before() {
    let (rig, _worker) = Rig::with_worker().await;
    let wish = large(&rig).await;
    let order = rig.order(wish).await;
    assert_eq!(rig.extend(order, 300).await, Err("order_not_extendable".into()));
    rig.wait_settled(order).await;
    let price = rig.find(order).await.price_sun;
    let before = rig.balance(UserId(1)).await;
    rig.extend(order, 300).await.unwrap();
    assert_eq!(rig.balance(UserId(1)).await, before - price);

    rig.pass(300);
    rig.idle().await;
    let lent: i64 = rig.lent_to(wish.receiver).await;
    let sold: i64 = rig
        .detail(order)
        .await
        .delegations
        .iter()
        .map(|(part, _)| part.amount_sun)
        .sum();
    assert_eq!(lent, sold, "whole");
    rig.pass(300);
    rig.wait_event(order, "reclaimed").await;
    assert_eq!(rig.extend(order, 300).await, Err("order_not_extendable".into()));
    assert_eq!(rig.lent_to(wish.receiver).await, 0);
    rig.judge().await;
}

impl Rig {
    /// What all wallets of ours lend to an address, by the chain.
    async fn lent_to(&self, receiver: ::chain::TronAddress) -> i64 {
        let mut lent = 0;
        for address in self.lines("SELECT address AS line FROM supplier_wallets").await {
            lent += self.lent(address.parse().unwrap(), receiver).await;
        }
        lent
    }
}
