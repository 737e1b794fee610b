//! Workers as processes, killed and halted at every step of what they do.

mod halts;
mod kills;
mod orders;
mod parts;
mod payouts;
mod rentals;
mod stakings;
mod sweeps;

use std::fmt::Debug;
use std::time::{Duration, Instant};

use crate::harness::{Process, Rig};

/// Real time that one part may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than a run's lease and a watcher's.
const LEASES_S: i64 = 60;
/// Between two looks at whether it has come to rest.
const LOOK: Duration = Duration::from_millis(25);
/// How many services live at once: each of them waits more than it computes.
const AT_ONCE: usize = 4;

/// What a worker brings to its end, in parts, each of which begins with something from outside and ends when all work
/// is done.
trait Life: Sized {
    type Part: Copy + Debug + PartialEq + 'static;
    const PARTS: &'static [Self::Part];
    /// How places begin at which it is killed; where none is named, at every one. A life names its own where others are killed at
    /// the rest already.
    const PLACES: &'static [&'static str] = &[];

    /// What this part cannot do without. That it is in the trace shows that the trace is whole.
    fn must_reach(part: Self::Part) -> &'static [&'static str];

    /// Prepares the service, while a worker runs that is then stopped.
    async fn prepare(rig: &Rig) -> Self;

    /// What the outside does at the beginning of this part.
    async fn enter(&mut self, part: Self::Part, rig: &Rig);

    /// Waits until other workers have brought it to its end, and looks at it.
    async fn finish(self, rig: &Rig);
}

/// A service whose one worker is a process of its own, with nothing to do yet.
async fn begin<L: Life>() -> (Rig, Process, L) {
    let (rig, worker) = Rig::with_worker().await;
    let life = L::prepare(&rig).await;
    rig.idle().await;
    worker.stop().await;
    let mut process = Process::start(&rig.world);
    rig.mine(1);
    assert!(come_to_rest(&rig, &mut process).await);
    (rig, process, life)
}

/// Whether the worker is still alive after this part.
async fn live_through<L: Life>(part: L::Part, life: &mut L, rig: &Rig, process: &mut Process) -> bool {
    life.enter(part, rig).await;
    come_to_rest(rig, process).await
}

/// Waits until nothing is left to do, or the worker is dead: then the answer is no.
async fn come_to_rest(rig: &Rig, process: &mut Process) -> bool {
    let started = Instant::now();
    loop {
        if process.is_killed() {
            return false;
        }
        if rig.is_idle().await && process.is_between_steps() {
            return true;
        }
        if started.elapsed() > PATIENCE {
            panic!("it does not come to rest:\n{}", rig.report().await);
        }
        tokio::time::sleep(LOOK).await;
    }
}
