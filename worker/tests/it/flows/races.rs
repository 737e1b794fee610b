//! Callers and workers that want the same thing at the same moment: one gets it.

use std::collections::BTreeSet;

use db::models::OrderState;
use futures::future::join_all;
use kernel::{OrderId, UserId};

use crate::harness::{Does, Rig, Wish};

/// What one order of [`Rig::wish`] costs.
const PRICE: i64 = 3_900_000;

#[tokio::test(flavor = "multi_thread")]
async fn money_for_one_order_buys_one() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(100_000).await;
    let poor = |wish: Wish| Wish {
        user: UserId(2),
        ..wish
    };
    assert_eq!(rig.try_order(poor(rig.wish())).await, Err("insufficient_funds".into()));
    rig.credit(UserId(2), 7).await;
    let wishes: Vec<Wish> = (0..10).map(|_| poor(rig.wish())).collect();
    let answers = join_all(wishes.into_iter().map(|wish| rig.try_order(wish))).await;
    let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (1, 9));
    assert!(refused.iter().all(|answer| *answer == Err("insufficient_funds".into())));
    assert_eq!(rig.balance(UserId(2)).await, 7_000_000 - PRICE);
    for order in taken {
        rig.wait_settled(order.unwrap()).await;
    }
    assert_eq!(rig.balance(UserId(2)).await, 7_000_000 - PRICE);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_energy_goes_to_one_and_the_other_waits_for_it() {
    let (rig, _one) = Rig::with_worker().await;
    let _two = rig.start(Does::Everything);
    rig.expect_finding("pool.no_wallet_fits");
    // room for one order of some 7,000 TRX, and not for two
    rig.supplier(9_000).await;
    let wishes = [rig.wish(), rig.wish()];
    let orders = join_all(wishes.map(|wish| rig.order(wish))).await;
    let states = async || {
        let mut states = Vec::new();
        for order in &orders {
            states.push(rig.find(*order).await.state);
        }
        states
    };
    rig.until("one is delivered", async || {
        states().await.contains(&OrderState::Completed)
    })
    .await;
    assert!(states().await.contains(&OrderState::Pending), "{:?}", states().await);
    let last = orders[usize::from(states().await[0] == OrderState::Completed)];
    assert_eq!(
        rig.find(last).await.reason_code.as_deref(),
        Some("no_wallet_fits"),
        "it says why it waits"
    );
    // the first rental ends well before the other's deadline
    rig.pass(300);
    rig.wait_settled(last).await;
    for order in orders {
        let detail = rig.detail(order).await;
        assert_eq!(
            (detail.order.attempts, detail.transactions[0].sends),
            (1, 1),
            "nobody promised what was not there"
        );
    }
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_used_a_hundred_times_at_once_is_one_order() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(100_000).await;
    let before = rig.balance(UserId(1)).await;
    let wish = rig.wish();
    let same = join_all((0..100).map(|_| rig.order_once(wish, "k"))).await;
    let ids: BTreeSet<OrderId> = same.into_iter().map(Result::unwrap).collect();
    assert_eq!(ids.len(), 1);
    let other = Wish {
        energy: wish.energy + 1,
        ..wish
    };
    let others = join_all((0..100).map(|_| rig.order_once(other, "k"))).await;
    assert!(
        others
            .iter()
            .all(|answer| *answer == Err("idempotency_key_reused".into()))
    );
    // two requests for one fresh key at once: whichever comes first is the order, and the other is told so
    let mixed = join_all((0..100).map(|n| rig.order_once(if n % 2 == 0 { wish } else { other }, "l"))).await;
    let (taken, refused): (Vec<_>, Vec<_>) = mixed.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (50, 50));
    assert!(
        refused
            .iter()
            .all(|answer| *answer == Err("idempotency_key_reused".into()))
    );
    let more: BTreeSet<OrderId> = taken.into_iter().map(Result::unwrap).collect();
    assert_eq!(more.len(), 1);

    assert_eq!(rig.count("SELECT count(*) AS n FROM orders").await, 2);
    for order in ids.into_iter().chain(more) {
        rig.wait_settled(order).await;
    }
    assert_eq!(rig.devnet.calls("/wallet/broadcasthex"), 2, "delivered once each");
    let spent = before - rig.balance(UserId(1)).await;
    assert!((2 * PRICE..=2 * PRICE + 60).contains(&spent), "paid once each: {spent}");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_meets_the_claim_is_first_or_too_late() {
    let rig = Rig::new().await;
    let _watching = rig.start(Does::OnlyWatching);
    let before = rig.balance(UserId(1)).await;
    let jobs = rig.start(Does::OnlyJobs);
    rig.supplier(500_000).await;
    rig.idle().await;
    jobs.stop().await;
    let mut orders = Vec::new();
    for _ in 0..40 {
        orders.push(rig.order(rig.wish()).await);
    }
    // the worker begins with all of them while all of them are cancelled
    let _jobs = rig.start(Does::OnlyJobs);
    let answers = join_all(orders.iter().map(|order| rig.cancel(*order))).await;
    let mut cancelled = 0;
    for (order, answer) in orders.iter().zip(answers) {
        if answer.is_err() {
            assert_eq!(answer, Err("order_not_cancellable".into()));
            rig.wait_settled(*order).await;
            continue;
        }
        cancelled += 1;
        let detail = rig.detail(*order).await;
        assert_eq!(detail.order.state, OrderState::Cancelled);
        assert_eq!(detail.transactions.len(), 0, "nothing was signed for it");
    }
    let delivered = i64::try_from(orders.len()).unwrap() - cancelled;
    assert_eq!(
        rig.balance(UserId(1)).await,
        before - PRICE * delivered,
        "paid for {delivered}"
    );
    rig.judge().await;
}
