//! A worker's process is halted at a step for longer than its leases, while another does its work; then it goes on and
//! finds out that it must not.

use futures::StreamExt;

use ::chain::ChainClient;
use ::devnet::ForkKeep;

use super::orders::{OrderLife, Part};
use super::{AT_ONCE, LEASES_S, Life, begin, live_through};
use crate::harness::{Does, Payer, Process, Rig, address_of, trx};

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

/// The blocks that it fetched are replaced, and the branch that lives is solidified beyond them, before it asks how far that is.
#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_died_while_a_watcher_was_halted_is_not_believed() {
    let rig = Rig::new().await;
    let announced = rig.announce(1_000, "TRX", "address", None).await;
    let (to, payer, node) = (address_of(&announced), Payer::new(&rig), rig.node());
    let process = Process::start(&rig.world);
    rig.idle().await;
    process.stop_at("blocks.fetched");
    let solid = node.solid_head().await.unwrap();
    let gone = payer.send(&rig, &node, &solid, (to, trx(30), "")).await;
    rig.mine(1);
    rig.meanwhile("it has fetched", async || process.is_halted()).await;
    rig.devnet.fork(1, &ForkKeep::DropTxids(vec![gone])).unwrap();
    rig.mine(10);
    goes_on(&rig, process, "blocks.fetched").await;
    let credited = "SELECT count(*) AS n FROM incoming_transfers WHERE state = 'credited'";
    assert_eq!(rig.count(credited).await, 0, "nothing was paid in");

    let _finisher = rig.start(Does::Everything);
    let solid = node.solid_head().await.unwrap();
    payer.send(&rig, &node, &solid, (to, trx(20), "")).await;
    rig.until("what was paid is credited", async || rig.count(credited).await == 1)
        .await;
    rig.judge().await;
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
