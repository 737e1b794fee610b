//! A worker's process is killed at every step between the claim of a payout and its last booking; another worker
//! finishes what it left, and the payout is paid once.

use std::collections::BTreeSet;

use db::models::PayoutState;
use futures::StreamExt;
use kernel::PayoutId;

use super::crashes::{AT_ONCE, ELSEWHERE};
use super::{LEASES_S, come_to_rest};
use crate::harness::{Does, Process, Rig, TRX, Withdrawal};

/// The life of a payout in parts, each of which begins with something from outside and ends when all work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The payout is there: claimed, signed, stored, sent.
    Sending,
    /// A block carries it.
    Inclusion,
    /// That block is solidified: the payout is settled, its fee booked.
    Finality,
}

impl Part {
    const ALL: [Self; 3] = [Self::Sending, Self::Inclusion, Self::Finality];

    /// What this part cannot do without.
    const fn must_reach(self) -> &'static [&'static str] {
        match self {
            Self::Sending => &[
                "payouts.send.begun",
                "claim_payout.begin",
                "claim_payout.commit",
                "claim_payout.committed",
                "broadcast.begin",
                "broadcast.answered",
                "record_accepted.committed",
            ],
            Self::Inclusion => &[
                "blocks.fetched",
                "apply_blocks.begin",
                "apply_blocks.commit",
                "apply_blocks.committed",
            ],
            Self::Finality => &[
                "set_solid.commit",
                "set_solid.committed",
                "chain.settle_final.begun",
                "finalise.commit",
                "finalise.committed",
            ],
        }
    }
}

/// A service with a treasury and one worker, a process of its own, and what a user will ask for.
async fn begin() -> (Rig, Process, Withdrawal) {
    let (rig, worker) = Rig::with_worker().await;
    rig.treasury(1_000, 0).await;
    let wish = rig.withdrawal(20);
    rig.idle().await;
    worker.stop().await;
    let mut process = Process::start(&rig.world);
    rig.mine(1);
    assert!(come_to_rest(&rig, &mut process).await);
    (rig, process, wish)
}

/// Whether the worker is still alive after this part.
async fn live_through(
    part: Part,
    rig: &Rig,
    process: &mut Process,
    (wish, payout): (Withdrawal, &mut Option<PayoutId>),
) -> bool {
    match part {
        Part::Sending => *payout = Some(rig.payout(wish).await),
        Part::Inclusion => rig.mine(1),
        Part::Finality => rig.mine(3),
    }
    come_to_rest(rig, process).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_step_pays_once() {
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

/// What a worker reaches in each part when nobody kills it.
async fn reached_in_each_part() -> Vec<BTreeSet<String>> {
    let (rig, mut process, wish) = begin().await;
    let mut payout = None;
    let mut reached = Vec::new();
    for part in Part::ALL {
        let before = process.trace().len();
        let lives = live_through(part, &rig, &mut process, (wish, &mut payout)).await;
        assert!(lives, "nobody kills it");
        let new = process.trace().into_iter().skip(before);
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
    let (rig, mut process, wish) = begin().await;
    let mut payout = None;
    let mut lives = true;
    for current in Part::ALL {
        if current == part {
            process.kill_at(&place);
        }
        lives = lives && live_through(current, &rig, &mut process, (wish, &mut payout)).await;
    }
    // what follows the last commit of all may still be ahead of it
    let killed = process.end().await;
    // by everybody's clock its leases are over
    rig.clock.advance(LEASES_S);
    let _finisher = rig.start(Does::Everything);
    rig.wait_payout(payout.unwrap(), PayoutState::Completed).await;
    assert_eq!(rig.sun_of(wish.to).await, 21 * TRX, "paid once");
    rig.judge().await;
    (!killed).then_some((part, place))
}
