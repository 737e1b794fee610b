//! A worker's process is killed at every step of each part of a life; another worker finishes what it left.

use std::collections::BTreeSet;

use futures::StreamExt;

use super::{AT_ONCE, LEASES_S, Life, begin, live_through};
use crate::harness::{Does, Rig};

/// What belongs to no life, and may be reached at any time.
const ELSEWHERE: [&str; 9] = [
    "orders.cancel_expired.",
    "cancel_expired_orders.",
    "wallets.check_stock.",
    "operations.",
    "reconcile",
    "checkpoint_ledger",
    "cron_tick.",
    "request_wallet_syncs.",
    "rates.read.",
];

/// What follows own transactions after a while of real time, so that one life has it in a part and another has not.
const SOMETIMES: [&str; 4] = [
    "wallets.sync.",
    "apply_wallet_snapshot.",
    "check_stock.",
    // what no block has carried after a few seconds is sent again
    "claim_to_resend.",
];

/// Lives once undisturbed, then once for each place that was reached, with a worker that dies there.
pub(super) async fn killed_everywhere<L: Life>() {
    let mut places = Vec::new();
    for (part, reached) in L::PARTS.iter().zip(reached_in_each_part::<L>().await) {
        for place in L::must_reach(*part) {
            assert!(reached.contains(*place), "{part:?} did not reach {place}: {reached:?}");
        }
        let own = |place: &String| L::PLACES.is_empty() || L::PLACES.iter().any(|begin| place.starts_with(begin));
        places.extend(reached.into_iter().filter(own).map(|place| (*part, place)));
    }
    let count = places.len();
    let killed = futures::stream::iter(places)
        .map(|(part, place)| killed_at::<L>(part, place))
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready);
    let missed: Vec<_> = killed.collect().await;
    eprintln!("{count} places, {} not reached again: {missed:?}", missed.len());
    let must = |(part, place): &(L::Part, String)| L::must_reach(*part).contains(&place.as_str());
    assert!(!missed.iter().any(must), "{missed:?}");
    let sometimes = |place: &str| SOMETIMES.iter().any(|other| place.starts_with(other));
    let counted = missed.iter().filter(|(_, place)| !sometimes(place)).count();
    // on a slow machine more of it passes; what must be reached is not of this
    assert!(counted * 4 <= count, "{missed:?}");
}

/// What a worker reaches in each part when nobody kills it.
async fn reached_in_each_part<L: Life>() -> Vec<BTreeSet<String>> {
    let (rig, mut process, mut life) = begin::<L>().await;
    let mut reached = Vec::new();
    for part in L::PARTS {
        let before = process.trace().len();
        let lives = live_through(*part, &mut life, &rig, &mut process).await;
        assert!(lives, "nobody kills it");
        let new = process.trace().into_iter().skip(before);
        reached.push(
            new.filter(|place| !ELSEWHERE.iter().any(|other| place.starts_with(other)))
                .collect(),
        );
    }
    assert!(!process.end().await, "nobody kills it");
    come_to_an_end(life, rig).await;
    reached
}

/// One service, whose worker dies there. Answers part and place if this time it was not reached.
async fn killed_at<L: Life>(part: L::Part, place: String) -> Option<(L::Part, String)> {
    let (rig, mut process, mut life) = begin::<L>().await;
    let mut lives = true;
    for current in L::PARTS {
        if *current == part {
            process.kill_at(&place);
        }
        lives = lives && live_through(*current, &mut life, &rig, &mut process).await;
    }
    let trace = process.trace();
    // what follows the last commit of all may still be ahead of it
    let killed = process.end().await;
    // by everybody's clock its leases are over
    rig.clock.advance(LEASES_S);
    if !killed {
        eprintln!("{part:?} did not reach {place} again: {trace:?}");
    }
    come_to_an_end(life, rig).await;
    (!killed).then_some((part, place))
}

async fn come_to_an_end<L: Life>(life: L, rig: Rig) {
    let _finisher = rig.start(Does::Everything);
    life.finish(&rig).await;
    rig.judge().await;
}
