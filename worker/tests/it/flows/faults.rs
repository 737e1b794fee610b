//! Redis wiped and Redis away: seconds are lost, and no order.

use db::models::OrderState;

use crate::harness::{Does, Rig};
use crate::queue_support::OwnRedis;

#[tokio::test(flavor = "multi_thread")]
async fn wiping_redis_costs_no_order() {
    let redis = OwnRedis::up().await;
    let rig = Rig::on(redis.config()).await;
    let _worker = rig.start(Does::Everything);
    rig.supplier(200_000).await;
    let mut orders = Vec::new();
    for _ in 0..20 {
        orders.push(rig.order(rig.wish()).await);
        if orders.len() % 5 == 0 {
            redis.say(&["FLUSHALL"]).await.unwrap();
        }
    }
    for order in &orders {
        rig.wait_settled(*order).await;
        assert_eq!(rig.find(*order).await.attempts, 1);
    }
    rig.pass(300);
    redis.say(&["FLUSHALL"]).await.unwrap();
    rig.until("all is taken back", async || {
        rig.count("SELECT count(*) AS n FROM delegations WHERE state <> 'reclaimed'")
            .await
            == 0
    })
    .await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_taken_while_redis_is_away_for_a_minute_are_delivered_when_it_is_back() {
    let mut redis = OwnRedis::up().await;
    let rig = Rig::on(redis.config()).await;
    let _worker = rig.start(Does::Everything);
    rig.supplier(200_000).await;
    rig.idle().await;
    redis.kill();
    let mut orders = Vec::new();
    // for a minute nobody wakes a worker, and the chain goes on
    for _ in 0..5 {
        orders.push(rig.order(rig.wish()).await);
        rig.mine(4);
    }
    for order in &orders {
        assert_eq!(rig.find(*order).await.state, OrderState::Pending);
    }
    redis.start().await;
    for order in &orders {
        rig.wait_settled(*order).await;
        assert_eq!(rig.find(*order).await.attempts, 1);
    }
    rig.judge().await;
}
