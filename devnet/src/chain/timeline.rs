//! Chain time: when the next block's timestamp is. Block timestamps are the only time that clients see.

use std::sync::Arc;

use kernel::Clock;

use crate::config::Interval;

/// The clock of the chain.
#[derive(Debug)]
pub(super) struct Timeline {
    clock: Arc<dyn Clock>,
    interval: Interval,
    block_ms: i64,
    start_chain_ms: i64,
    start_real_ms: i64,
    skipped_ms: i64,
}

impl Timeline {
    /// Starts now, at a whole second.
    pub(super) fn start(clock: Arc<dyn Clock>, interval: Interval, block_ms: u64) -> Self {
        let real = clock.now().timestamp_millis();
        let block_ms = i64::try_from(block_ms).unwrap_or(i64::MAX).max(1);
        let start_chain_ms = real / 1_000 * 1_000;
        Self {
            clock,
            interval,
            block_ms,
            start_chain_ms,
            start_real_ms: real,
            skipped_ms: 0,
        }
    }

    /// Timestamp of the first block.
    pub(super) const fn start_ms(&self) -> i64 {
        self.start_chain_ms
    }

    /// Lets chain time jump; the next block shows it.
    pub(super) fn skip(&mut self, ms: i64) {
        self.skipped_ms = self.skipped_ms.saturating_add(ms);
    }

    /// Timestamp of the block after one at `previous`.
    pub(super) fn next(&mut self, previous: i64) -> i64 {
        match self.interval {
            Interval::OnDemand => previous + self.block_ms + std::mem::take(&mut self.skipped_ms),
            Interval::Instant => self.now().max(previous + 1),
            Interval::Auto(_) => {
                let slots = (self.now() - self.start_chain_ms) / self.block_ms;
                (self.start_chain_ms + slots * self.block_ms).max(previous + self.block_ms)
            }
        }
    }

    fn now(&self) -> i64 {
        let real = self.clock.now().timestamp_millis() - self.start_real_ms;
        let passed = match self.interval {
            Interval::Auto(every_ms) => {
                let every = i128::from(every_ms.max(1));
                i64::try_from(i128::from(real) * i128::from(self.block_ms) / every).unwrap_or(i64::MAX)
            }
            Interval::OnDemand | Interval::Instant => real,
        };
        self.start_chain_ms
            .saturating_add(passed)
            .saturating_add(self.skipped_ms)
    }
}

#[cfg(test)]
mod tests {
    use kernel::ManualClock;

    use super::*;

    fn at_zero(interval: Interval) -> (Arc<ManualClock>, Timeline) {
        let clock = Arc::new(ManualClock::at(chrono::DateTime::from_timestamp(1_000, 0).unwrap()));
        let timeline = Timeline::start(clock.clone(), interval, 3_000);
        (clock, timeline)
    }

    #[test]
    fn fast_time_runs_by_the_ratio_and_catches_up_after_a_stall() {
        let (clock, mut line) = at_zero(Interval::Auto(300));
        clock.advance_seconds(3);
        assert_eq!(line.next(1_000_000), 1_030_000);
        assert_eq!(line.next(1_030_000), 1_033_000, "never less than a block time");
        line.skip(3_600_000);
        assert_eq!(line.next(1_033_000), 1_000_000 + 30_000 + 3_600_000);
    }

    #[test]
    fn on_demand_time_stands_still_but_for_blocks_and_skips() {
        let (clock, mut line) = at_zero(Interval::OnDemand);
        clock.advance_seconds(500);
        assert_eq!(line.next(1_000_000), 1_003_000);
        line.skip(10_000);
        assert_eq!(line.next(1_003_000), 1_016_000);
        assert_eq!(line.next(1_016_000), 1_019_000);
    }

    #[test]
    fn instant_blocks_carry_real_time_and_never_repeat_a_timestamp() {
        let (clock, mut line) = at_zero(Interval::Instant);
        clock.advance_seconds(2);
        assert_eq!(line.next(1_000_000), 1_002_000);
        assert_eq!(line.next(1_002_000), 1_002_001);
    }
}
