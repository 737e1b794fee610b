//! What is remembered of receivers.

use chain::Receiver;
use chrono::Duration;
use db::acquire;
use db::models::Verdict;
use domain::receivers::{known, remember, verdict};
use switchyard_domain as domain;

use crate::world::{NETWORK, World, address};

#[tokio::test]
async fn only_a_fresh_good_verdict_is_believed() {
    let world = World::new().await;
    let now = world.now();
    let receiver = address(1).to_string();
    let asked = async |since| {
        known(&mut acquire(&world.worker).await.unwrap(), NETWORK, &receiver, since)
            .await
            .unwrap()
    };
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
