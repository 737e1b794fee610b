//! A worker's process is killed at every step between the claim of an order and the end of its rental; another worker
//! finishes what it left.

use std::collections::BTreeSet;

use futures::StreamExt;

use super::{LEASES_S, Part, begin, come_to_rest, live_through};
use crate::harness::{Does, Process, Rig};

/// What has nothing to do with orders, and may be reached at any time.
pub(super) const ELSEWHERE: [&str; 6] = [
    "orders.cancel_expired.",
    "wallets.check_stock.",
    "operations.",
    "reconcile",
    "checkpoint_ledger",
    "tick",
];

/// How many services live at once.
pub(super) const AT_ONCE: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_step_costs_no_order_and_doubles_none() {
    let mut places = Vec::new();
    for (part, reached) in Part::ALL.into_iter().zip(reached_in_each_part().await) {
        for place in part.must_reach() {
            assert!(reached.contains(*place), "{part:?} did not reach {place}: {reached:?}");
        }
        places.extend(reached.into_iter().map(|place| (part, place)));
    }
    let killed = futures::stream::iter(places.clone())
        .map(|(part, place)| killed_at(part, place))
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready);
    let missed: Vec<_> = killed.collect().await;
    eprintln!(
        "{} places, {} not reached again: {missed:?}",
        places.len(),
        missed.len()
    );
    assert!(
        missed
            .iter()
            .all(|(part, place)| !part.must_reach().contains(&place.as_str())),
        "{missed:?}"
    );
    assert!(missed.len() * 10 <= places.len(), "{missed:?}");
}

/// Orders that wait for a worker when it starts: it claims most of them together.
const TOGETHER: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_over_many_orders_at_once_costs_none_and_doubles_none() {
    for place in [
        "claim_orders.begin",
        "claim_orders.commit",
        "claim_orders.committed",
        "broadcast.answered",
        "record_accepted.committed",
    ] {
        let (rig, worker) = Rig::with_worker().await;
        rig.supplier(1_000_000).await;
        rig.idle().await;
        worker.stop().await;
        let mut orders = Vec::new();
        for _ in 0..TOGETHER {
            orders.push(rig.order(rig.wish()).await);
        }
        let mut process = Process::start_killed_at(&rig.world, place);
        come_to_rest(&rig, &mut process).await;
        assert!(process.end().await, "{place} was not reached");
        rig.clock.advance(LEASES_S);
        let _finisher = rig.start(Does::Everything);
        for order in &orders {
            rig.wait_settled(*order).await;
        }
        rig.pass(300);
        rig.until("the energy is taken back", async || {
            rig.count("SELECT count(*) AS n FROM delegations WHERE state <> 'reclaimed'")
                .await
                == 0
        })
        .await;
        rig.judge().await;
    }
}

/// What a worker reaches in each part when nobody kills it.
async fn reached_in_each_part() -> Vec<BTreeSet<String>> {
    let (rig, mut process) = begin().await;
    let mut order = None;
    let mut reached = Vec::new();
    for part in Part::ALL {
        let before = process.trace().len();
        assert!(
            live_through(part, &rig, &mut process, &mut order).await,
            "nobody kills it"
        );
        let trace = process.trace();
        let new = trace.into_iter().skip(before);
        reached.push(
            new.filter(|place| !ELSEWHERE.iter().any(|other| place.starts_with(other)))
                .collect(),
        );
    }
    assert!(!process.end().await, "nobody kills it");
    let _finisher = rig.start(Does::Everything);
    rig.judge().await;
    reached
}

/// One service, whose worker dies there. Answers part and place if this time it was not reached.
async fn killed_at(part: Part, place: String) -> Option<(Part, String)> {
    let (rig, mut process) = begin().await;
    let mut order = None;
    let mut lives = true;
    for current in Part::ALL {
        if current == part {
            process.kill_at(&place);
        }
        lives = lives && live_through(current, &rig, &mut process, &mut order).await;
    }
    // what follows the last commit of all may still be ahead of it
    let killed = process.end().await;
    // by everybody's clock its leases are over
    rig.clock.advance(LEASES_S);
    let _finisher = rig.start(Does::Everything);
    let order = order.unwrap();
    rig.wait_settled(order).await;
    if rig
        .count("SELECT count(*) AS n FROM delegations WHERE state = 'active'")
        .await
        > 0
    {
        rig.pass(300);
    }
    rig.until("the energy is taken back", async || rig.is_reclaimed(order).await)
        .await;
    rig.judge().await;
    (!killed).then_some((part, place))
}
