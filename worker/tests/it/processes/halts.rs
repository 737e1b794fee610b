//! A worker's process is halted at a step for longer than its leases, while another does its work; then it goes on and
//! finds out that it must not.

use futures::StreamExt;

use super::orders::{OrderLife, Part};
use super::{AT_ONCE, LEASES_S, Life, begin, live_through};
use crate::harness::{Does, Process, Rig};

/// Where it hurts most: with work begun, with locks held in an open transaction, between a commit and what follows it.
const PLACES: [(Part, &str); 12] = [
    (Part::Delivery, "orders.delegate.begun"),
    (Part::Delivery, "claim_order.commit"),
    (Part::Delivery, "claim_order.committed"),
    (Part::Delivery, "broadcast.answered"),
    (Part::Delivery, "record_accepted.committed"),
    (Part::Inclusion, "blocks.fetched"),
    (Part::Inclusion, "apply_blocks.commit"),
    (Part::Finality, "finalise.commit"),
    (Part::Finality, "chain.settle_final.begun"),
    (Part::Reclaim, "claim_reclaim.commit"),
    (Part::Reclaim, "claim_reclaim.committed"),
    (Part::ReclaimInclusion, "blocks.fetched"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_halted_for_longer_than_its_lease_does_not_act_on_what_others_took_over() {
    let halted = futures::stream::iter(PLACES).map(|(part, place)| halted_at(part, place));
    halted.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

async fn halted_at(part: Part, place: &'static str) {
    let (rig, mut process, mut life) = begin::<OrderLife>().await;
    for current in OrderLife::PARTS {
        if *current != part {
            assert!(live_through(*current, &mut life, &rig, &mut process).await);
            continue;
        }
        process.stop_at(place);
        life.enter(part, &rig).await;
        rig.meanwhile(place, async || process.is_halted()).await;
        break;
    }
    rig.clock.advance(LEASES_S);
    let finisher = rig.start(Does::Everything);
    let order = life.id();
    rig.wait_settled(order).await;
    if part >= Part::Reclaim {
        rig.until("the energy is taken back", async || rig.is_reclaimed(order).await)
            .await;
    }
    finisher.stop().await;
    goes_on(&rig, process, place).await;
    let _finisher = rig.start(Does::Everything);
    if part < Part::Reclaim {
        rig.pass(300);
        rig.until("the energy is taken back", async || rig.is_reclaimed(order).await)
            .await;
    }
    assert_eq!(
        rig.find(order).await.attempts,
        1,
        "{place}: delivered by the transaction that was signed first, or by its own"
    );
    rig.judge().await;
}

/// The halted process goes on with what it was about to do, and ends in order.
async fn goes_on(rig: &Rig, process: Process, place: &str) {
    let before = process.trace().len();
    process.go_on();
    rig.meanwhile(place, async || process.trace().len() > before + 5).await;
    rig.mine(2);
    rig.idle().await;
    assert!(!process.end().await, "{place}");
}
