//! Random walks over everything that can happen to a few orders and wallets, with a node that takes, refuses, forgets and
//! forks. After each step the books must be sound; at the end every order must have ended, and rightly.
//!
//! A failure prints its seed; `SWITCHYARD_WALK_SEED=<seed>` walks it again, `SWITCHYARD_WALKS=<n>` walks more of them.

mod books;
mod finish;
mod node;
mod sends;
mod steps;

use std::collections::BTreeSet;

use steps::Walker;

/// Steps of one walk.
const STEPS: usize = 200;
const WALKS: u64 = 6;
/// What can happen to an order, and what its attempts die of. That a part lands after its order was given up happens in one
/// walk of ten; `parts` makes it happen.
const EVENTS: [&str; 16] = [
    "accepted",
    "attempt_failed",
    "cancelled",
    "completed",
    "expired",
    "failed",
    "failed_on_chain",
    "part_delegated",
    "part_reclaimed",
    "reclaim_reverted",
    "reclaimed",
    "refunded",
    "refused_on_first_send",
    "reverted",
    "settled",
    "signed",
];

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_walk_breaks_the_books() {
    let again = setting("SWITCHYARD_WALK_SEED");
    let seeds = match again {
        Some(seed) => seed..seed + 1,
        None => 1..1 + setting("SWITCHYARD_WALKS").unwrap_or(WALKS),
    };
    let mut happened = BTreeSet::new();
    for seed in seeds {
        let mut walker = Walker::new(seed).await;
        for _ in 0..STEPS {
            walker.step().await;
            walker.check().await;
        }
        happened.extend(walker.finish().await);
    }
    // walks that see nothing prove nothing
    let missed: Vec<_> = EVENTS.iter().filter(|event| !happened.contains(**event)).collect();
    assert!(again.is_some() || missed.is_empty(), "no walk saw {missed:?}");
}
