//! Workers as processes, killed and halted at every step of an order's life.

mod crashes;
mod halts;
mod payouts;

use std::time::{Duration, Instant};

use kernel::OrderId;

use crate::harness::{Process, Rig};

/// Real time that one part may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than a run's lease and a watcher's.
const LEASES_S: i64 = 60;

/// The life of an order in parts, each of which begins with something from outside and ends when all work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// The order is there: claimed, signed, stored, sent.
    Delivery,
    /// A block carries the delegation.
    Inclusion,
    /// That block is solidified: the order is settled.
    Finality,
    /// The rental is over: claimed, signed, stored, sent.
    Reclaim,
    /// A block carries the reclaim.
    ReclaimInclusion,
    /// That block is solidified.
    ReclaimFinality,
}

impl Part {
    const ALL: [Self; 6] = [
        Self::Delivery,
        Self::Inclusion,
        Self::Finality,
        Self::Reclaim,
        Self::ReclaimInclusion,
        Self::ReclaimFinality,
    ];

    /// What the outside does at its beginning.
    async fn begin(self, rig: &Rig, order: &mut Option<OrderId>) {
        match self {
            Self::Delivery => *order = Some(rig.order(rig.wish()).await),
            Self::Inclusion | Self::ReclaimInclusion => rig.mine(1),
            Self::Finality | Self::ReclaimFinality => rig.mine(3),
            Self::Reclaim => rig.pass(300),
        }
    }

    /// What this part cannot do without. That it is in the trace shows that the trace is whole.
    const fn must_reach(self) -> &'static [&'static str] {
        match self {
            Self::Delivery => &[
                "orders.delegate.begun",
                "claim_order.begin",
                "claim_order.commit",
                "claim_order.committed",
                "broadcast.begin",
                "broadcast.answered",
                "record_accepted.committed",
                "orders.delegate.ended",
            ],
            Self::Inclusion | Self::ReclaimInclusion => &[
                "blocks.fetched",
                "apply_blocks.begin",
                "apply_blocks.commit",
                "apply_blocks.committed",
            ],
            Self::Finality | Self::ReclaimFinality => &[
                "set_solid.commit",
                "set_solid.committed",
                "chain.settle_final.begun",
                "finalise.commit",
                "finalise.committed",
                "chain.settle_final.ended",
            ],
            Self::Reclaim => &[
                "delegations.reclaim.begun",
                "claim_reclaim.begin",
                "claim_reclaim.commit",
                "claim_reclaim.committed",
                "broadcast.begin",
                "broadcast.answered",
                "record_accepted.committed",
            ],
        }
    }
}

/// A service with one wallet and one worker, a process of its own.
async fn begin() -> (Rig, Process) {
    let (rig, worker) = Rig::with_worker().await;
    rig.supplier(100_000).await;
    rig.idle().await;
    worker.stop().await;
    let mut process = Process::start(&rig.world);
    rig.mine(1);
    assert!(come_to_rest(&rig, &mut process).await);
    (rig, process)
}

/// Whether the worker is still alive after this part.
async fn live_through(part: Part, rig: &Rig, process: &mut Process, order: &mut Option<OrderId>) -> bool {
    part.begin(rig, order).await;
    come_to_rest(rig, process).await
}

/// Waits until nothing is left to do, or the worker is dead: then the answer is no.
async fn come_to_rest(rig: &Rig, process: &mut Process) -> bool {
    let started = Instant::now();
    loop {
        if process.is_killed() {
            return false;
        }
        if rig.is_idle().await {
            return true;
        }
        if started.elapsed() > PATIENCE {
            panic!("it does not come to rest:\n{}", rig.report().await);
        }
        tokio::time::sleep(Duration::from_millis(8)).await;
    }
}

impl Rig {
    async fn is_reclaimed(&self, order: OrderId) -> bool {
        self.timeline(order).await.iter().any(|event| event == "reclaimed")
    }
}
