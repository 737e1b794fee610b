//! What is remembered of receivers.

use chain::Receiver;
use chrono::Duration;
use db::models::Verdict;
use domain::orders::to_deliver;
use domain::receivers::{remember, verdict};
use switchyard_domain as domain;

use crate::world::{NETWORK, World};

#[tokio::test]
async fn only_a_fresh_good_verdict_is_believed() {
    let world = World::new().await;
    let now = world.now();
    world.fund(1, 100_000_000).await;
    let order = world.order(1).await;
    let receiver = world.find(order).await.receiver;
    let asked = async |since| to_deliver(&world.worker, order, since).await.unwrap().receiver_is_good;
    assert!(!asked(now).await);
    remember(&world.worker, NETWORK, &receiver, verdict(Receiver::NotActivated), now)
        .await
        .unwrap();
    assert!(!asked(now).await);
    remember(&world.worker, NETWORK, &receiver, Verdict::Ok, now)
        .await
        .unwrap();
    assert!(asked(now).await);
    assert!(!asked(now + Duration::seconds(1)).await);
    remember(&world.worker, NETWORK, &receiver, verdict(Receiver::Contract), now)
        .await
        .unwrap();
    assert!(!asked(now).await);
}
