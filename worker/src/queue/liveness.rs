//! When each part last showed that it lives; readiness is made of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jobs::Queue;
use tokio::time::Instant;

/// The last sign of life of each queue's worker (a heartbeat that Redis took) and of the dispatcher (a look at the table).
#[derive(Debug, Clone)]
pub struct Liveness(Arc<Mutex<BTreeMap<&'static str, Instant>>>);

/// The name of the dispatcher among the parts.
pub(super) const DISPATCHER: &str = "dispatcher";

/// A part that was silent for so long is not well: four heartbeats.
const SILENCE: Duration = Duration::from_secs(20);

impl Liveness {
    pub(super) fn new(queues: impl Iterator<Item = Queue>) -> Self {
        let started = Instant::now();
        let parts = queues.map(Queue::word).chain([DISPATCHER]);
        Self(Arc::new(Mutex::new(parts.map(|part| (part, started)).collect())))
    }

    pub(super) fn beat(&self, part: &'static str) {
        self.parts().insert(part, Instant::now());
    }

    /// For how long each part has been silent.
    #[must_use]
    pub fn ages(&self) -> Vec<(&'static str, Duration)> {
        self.parts()
            .iter()
            .map(|(part, beat)| (*part, beat.elapsed()))
            .collect()
    }

    /// The parts that have been silent for too long: Redis or PostgreSQL is away, or the part hangs.
    #[must_use]
    pub fn silent(&self) -> Vec<&'static str> {
        let too_long = |(part, age): (&'static str, Duration)| (age > SILENCE).then_some(part);
        self.ages().into_iter().filter_map(too_long).collect()
    }

    fn parts(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
