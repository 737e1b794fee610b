//! Addresses that are kept at so much energy until a date or a budget.

use kernel::UserId;
use serde_json::json;
use tron::PrivateKey;

use crate::harness::{Does, KEPT as KEEP, Receiver, Rig};

#[tokio::test(flavor = "multi_thread")]
async fn an_address_never_has_less_until_the_budget_is_used() {
    let (rig, _worker) = Rig::with_worker().await;
    let _second = rig.start(Does::Everything);
    rig.supplier(400_000).await;
    let ends = Receiver::start().await;
    rig.hook(&ends, &["standing_order.ended", "standing_order.held"]).await;
    let (user, receiver) = (UserId(1), rig.customer_account());
    let before = rig.balance(user).await;
    // three orders of 3.9 TRX
    let id = rig.stand(user, receiver, "12").await;
    rig.until("it is kept", async || rig.energy_of(receiver).await >= KEEP)
        .await;
    for turn in 2..=3 {
        let newest = *rig.placed(&id).await.last().unwrap();
        rig.wait_settled(newest).await;
        let left = rig.find(newest).await.ends_at.unwrap() - rig.chain_time();
        // it ends soon, and the next one is there before it does
        rig.pass(u32::try_from(left.num_seconds() - 25).unwrap());
        rig.until("the next one is placed", async || rig.placed(&id).await.len() == turn)
            .await;
        let next = *rig.placed(&id).await.last().unwrap();
        rig.wait_settled(next).await;
        assert!(rig.energy_of(receiver).await >= KEEP);
        rig.wait_event(newest, "reclaimed").await;
        assert!(rig.energy_of(receiver).await >= KEEP, "kept without a gap");
    }
    let last = *rig.placed(&id).await.last().unwrap();
    rig.pass(300);
    rig.until("the budget is used", async || {
        rig.standing(&id).await["state"] == "ended"
    })
    .await;
    rig.wait_event(last, "reclaimed").await;
    let ended = rig.standing(&id).await;
    assert_eq!(
        (&ended["reason"], &ended["orders_placed"], &ended["spent"]["amount"]),
        (&json!("budget"), &json!(3), &json!("11.700000"))
    );
    assert_eq!(rig.balance(user).await, before - 11_700_000);
    rig.meanwhile("told", async || !ends.got().is_empty()).await;
    assert_eq!(ends.types(), ["standing_order.ended"]);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_money_is_waited_for_and_told_once() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(400_000).await;
    let told = Receiver::start().await;
    rig.hook(&told, &["standing_order.held"]).await;
    let (user, receiver) = (UserId(77), rig.customer_account());
    let id = rig.stand(user, receiver, "100").await;
    rig.until("it is held", async || {
        rig.standing(&id).await["reason"] == "insufficient_funds"
    })
    .await;
    for _ in 0..3 {
        rig.mine(3);
        rig.idle().await;
    }
    assert_eq!(rig.placed(&id).await, []);
    rig.credit(user, 4).await;
    rig.until("it is kept", async || rig.energy_of(receiver).await >= KEEP)
        .await;
    assert_eq!(rig.standing(&id).await["reason"], json!(null));
    assert_eq!(told.types(), ["standing_order.held"], "once, not at every look");
    rig.stop_standing(&id).await;
    rig.pass(600);
    for order in rig.placed(&id).await {
        rig.wait_event(order, "reclaimed").await;
    }
    assert_eq!(
        rig.placed(&id).await.len(),
        1,
        "nothing is ordered for one that was stopped"
    );
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_cannot_receive_is_not_ordered_for_again_and_again() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(400_000).await;
    let before = rig.balance(UserId(1)).await;
    let nobody = PrivateKey::generate().unwrap().address();
    let id = rig.stand(UserId(1), nobody, "100").await;
    rig.until("it ends", async || rig.standing(&id).await["state"] == "ended")
        .await;
    let ended = rig.standing(&id).await;
    assert_eq!(
        (&ended["reason"], &ended["orders_placed"], &ended["spent"]["amount"]),
        (&json!("receiver_refused"), &json!(1), &json!("0.000000"))
    );
    assert_eq!(rig.balance(UserId(1)).await, before);
    rig.judge().await;
}
