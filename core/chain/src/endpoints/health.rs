//! Whether an endpoint is asked at all: it rests after it turned us away or failed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::Clock;

/// The least rest after an endpoint turned us away: providers suspend a key for 30 seconds.
const THROTTLED_REST: Duration = Duration::from_secs(30);
/// The most that a `Retry-After` can make us rest.
const MAX_THROTTLED_REST: Duration = Duration::from_secs(600);
/// The rest after a first failure; it doubles with each further one.
const FIRST_REST_MS: u64 = 1_000;
/// Where the doubling ends.
const MAX_REST_MS: u64 = 60_000;
/// An answer that cannot be used may be about that one question: only so many in a row make an endpoint rest.
const TOLERATED_UNUSABLE: u32 = 2;

/// What a failure says about the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// It turned us away, perhaps saying for how long.
    Throttled(Option<Duration>),
    /// It is down, slow or broken.
    Broken,
    /// It answered something that cannot be used.
    Unusable,
}

#[derive(Debug)]
pub(super) struct Health {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures_in_row: u32,
    rest: Option<Rest>,
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
}

impl Rest {
    /// A clock that was set back must not make a rest of seconds last for hours.
    fn covers(self, now: DateTime<Utc>) -> bool {
        (self.from..self.until).contains(&now)
    }
}

impl Health {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    pub(super) fn is_resting(&self) -> bool {
        let now = self.clock.now();
        self.lock().rest.is_some_and(|rest| rest.covers(now))
    }

    /// An answer that could be used. It does not end a rest: it may belong to a call from before.
    pub(super) fn succeeded(&self) {
        self.lock().failures_in_row = 0;
    }

    /// Notes a failure; answers how long the endpoint will rest if this began a rest.
    pub(super) fn failed(&self, weight: Weight) -> Option<Duration> {
        let now = self.clock.now();
        let mut state = self.lock();
        let resting = state.rest.is_some_and(|rest| rest.covers(now));
        let rest = match weight {
            Weight::Throttled(asked) => asked.unwrap_or_default().clamp(THROTTLED_REST, MAX_THROTTLED_REST),
            // Calls that were under way together fail together: they are one failure.
            Weight::Broken | Weight::Unusable if resting => return None,
            Weight::Broken => {
                state.failures_in_row = state.failures_in_row.saturating_add(1);
                jittered(state.failures_in_row)
            }
            Weight::Unusable => {
                state.failures_in_row = state.failures_in_row.saturating_add(1);
                jittered(
                    state
                        .failures_in_row
                        .checked_sub(TOLERATED_UNUSABLE)
                        .filter(|beyond| *beyond > 0)?,
                )
            }
        };
        let until = now + TimeDelta::from_std(rest).unwrap_or(TimeDelta::MAX);
        if state
            .rest
            .is_some_and(|known| known.covers(now) && known.until >= until)
        {
            return None;
        }
        state.rest = Some(Rest { from: now, until });
        Some(rest)
    }

    /// A panic elsewhere cannot leave a wrong state here: each field is written in one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Half of the doubled rest, and a random part of the other half, so that workers do not come back together.
fn jittered(failures: u32) -> Duration {
    let full = FIRST_REST_MS.saturating_mul(1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX));
    let half = full.min(MAX_REST_MS) / 2;
    // Without randomness the rest is simply the longest.
    let random = getrandom::u64().unwrap_or(half);
    Duration::from_millis(half + random % (half + 1))
}
