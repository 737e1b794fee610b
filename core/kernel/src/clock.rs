//! Where the time comes from. Code asks a [`Clock`]; only this file reads the machine's.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

/// The source of the current time.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// The current time, UTC, in microsecond steps (what PostgreSQL stores).
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        let now = Utc::now();
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}

/// The machine's clock as it was when this was made, going on steadily: no step of the machine's time moves it.
#[derive(Debug, Clone, Copy)]
pub struct SteadyClock {
    began: DateTime<Utc>,
    since: Instant,
}

impl SteadyClock {
    /// Reads the machine's clock for the only time.
    #[must_use]
    pub fn new() -> Self {
        Self {
            began: SystemClock.now(),
            since: Instant::now(),
        }
    }
}

impl Default for SteadyClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> DateTime<Utc> {
        let passed = i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.began
            .checked_add_signed(TimeDelta::microseconds(passed))
            .unwrap_or(self.began)
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `at`.
    #[must_use]
    pub fn at(at: DateTime<Utc>) -> Self {
        Self(AtomicI64::new(at.timestamp_micros()))
    }

    /// Moves the clock by `seconds`, back if negative.
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds.saturating_mul(1_000_000), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}
