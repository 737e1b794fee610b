//! A queue that operators pause: nothing of it begins, nothing is lost, and all of it is done once when it goes on.

use std::time::Duration;

use db::models::OrderState;
use jobs::JobKind;

use crate::harness::{Does, Rig};
use crate::queue_support::OwnRedis;

/// Longer than a wake takes, and than the dispatcher waits for a push that seems lost.
const A_WHILE: Duration = Duration::from_secs(4);

impl Rig {
    async fn jobs(&self, words: &[&str]) -> String {
        let output = self
            .command(&[&["jobs"], words, &["--operator", "anna"]].concat())
            .await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_a_paused_queue_is_done_once_when_it_goes_on() {
    let redis = OwnRedis::up().await;
    let rig = Rig::on(redis.config()).await;
    let _first = rig.start(Does::Everything);
    let supplier = rig.supplier(200_000).await;
    rig.idle().await;
    let said = rig.jobs(&["pause", "orders", "--reason", "the node lies"]).await;
    assert!(said.contains("paused"), "{said}");
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(rig.order(rig.wish()).await);
    }
    // a worker that comes now finds it paused, and so does Redis that has forgotten everything
    let _second = rig.start(Does::Everything);
    redis.say(&["FLUSHALL"]).await.unwrap();
    tokio::time::sleep(A_WHILE).await;
    for order in &orders {
        let found = rig.find(*order).await;
        assert_eq!((found.state, found.attempts), (OrderState::Pending, 0));
    }
    let begun = "SELECT count(*) AS n FROM jobs WHERE kind = 'orders.delegate' AND runs > 0";
    assert_eq!(rig.count(begun).await, 0);
    // other queues go on: the wallet is read
    rig.ask(JobKind::WalletsSync, &supplier.id.to_string()).await;
    let reads = format!(
        "SELECT count(*) AS n FROM jobs WHERE kind = 'wallets.sync' AND object_id = '{}'",
        supplier.id
    );
    rig.meanwhile("the wallet is read", async || rig.count(&reads).await == 0)
        .await;
    let said = rig.jobs(&["resume", "orders"]).await;
    assert!(said.contains("goes on"), "{said}");
    for order in &orders {
        rig.wait_settled(*order).await;
        assert_eq!(rig.find(*order).await.attempts, 1);
    }
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_waits_too_long_in_a_paused_queue_is_given_back() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(100_000).await;
    rig.jobs(&["pause", "orders", "--reason", "the node lies"]).await;
    let order = rig.order(rig.wish()).await;
    rig.pass(700);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(
        rig.find(order).await.state,
        OrderState::Pending,
        "its deadline is a job of a queue, too"
    );
    rig.jobs(&["resume", "orders"]).await;
    rig.wait_for(order, OrderState::Cancelled).await;
    rig.judge().await;
}
