//! Use of a resource and its recovery: linear over a window, merged windows weighted, hand-back on undelegation.
//! A transcription of java-tron's `ResourceProcessor` (`increaseV2`, `unDelegateIncreaseV2`), time in slots.

/// A fresh use recovers over this many slots: 24 hours.
const WINDOW: i64 = 28_800;
/// Windows are kept in thousandths of a slot.
const WINDOW_PRECISION: i64 = 1_000;
const PRECISION: i64 = 1_000_000;

/// How much was used, when, and over which window it recovers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    /// Units as of `slot`.
    pub(crate) used: i64,
    /// Slot of the last change.
    pub(crate) slot: i64,
    /// Window in thousandths of a slot; 0 means the whole one.
    window: i64,
}

impl Usage {
    /// A use as it was stored, with a window in slots.
    #[cfg(test)]
    pub(crate) const fn stored(used: i64, slot: i64, window_slots: i64) -> Self {
        Self {
            used,
            slot,
            window: window_slots * WINDOW_PRECISION,
        }
    }

    /// The window in thousandths of a slot.
    pub(crate) const fn window_fine(&self) -> i64 {
        if self.window == 0 {
            WINDOW * WINDOW_PRECISION
        } else {
            self.window
        }
    }

    const fn window_slots(&self) -> i64 {
        if self.window < WINDOW_PRECISION {
            WINDOW
        } else {
            self.window / WINDOW_PRECISION
        }
    }

    /// Units still used at `now`.
    pub(crate) fn at(&self, now: i64) -> i64 {
        let window = self.window_slots();
        units(self.decayed_average(now), window)
    }

    /// Adds `units_used` at `now`, after recovery. The window becomes the weighted mean of both.
    pub(crate) fn add(&mut self, units_used: i64, now: i64) {
        let window = self.window_slots();
        let last = self.decayed_average(now);
        let fresh = ceil_div(wide(units_used) * wide(PRECISION), wide(WINDOW));
        let total = narrow((wide(last) * wide(window) + fresh * wide(WINDOW)) / wide(PRECISION));
        let remaining = units(last, window);
        self.window = if remaining == 0 {
            WINDOW * WINDOW_PRECISION
        } else {
            let left = self.window_fine() - (now - self.slot) * WINDOW_PRECISION;
            let area = wide(remaining) * wide(left) + wide(units_used) * wide(WINDOW * WINDOW_PRECISION);
            narrow(ceil_div(area, wide(total))).min(WINDOW * WINDOW_PRECISION)
        };
        self.used = total;
        self.slot = now;
    }

    /// Adds `units_used` of the free bandwidth, whose window is always the whole one.
    pub(crate) fn add_free(&mut self, units_used: i64, now: i64) {
        let average = wide(self.decayed_average(now)) + ceil_div(wide(units_used) * wide(PRECISION), wide(WINDOW));
        *self = Self {
            used: units(narrow(average), WINDOW),
            slot: now,
            window: 0,
        };
    }

    /// Recovery only, written down.
    pub(crate) fn settle(&mut self, now: i64) {
        self.add(0, now);
    }

    fn decayed_average(&self, now: i64) -> i64 {
        let window = self.window_slots();
        let average = narrow(ceil_div(wide(self.used) * wide(PRECISION), wide(window)));
        if now == self.slot {
            return average;
        }
        if self.slot + window <= now {
            return 0;
        }
        let decay = (window - (now - self.slot)) as f64 / window as f64;
        // Java's Math.round: half up.
        (average as f64 * decay + 0.5).floor() as i64
    }
}

/// Moves `units_moved` from a receiver (already settled at `now`) to the owner who took his stake back.
pub(crate) fn hand_back(owner: &mut Usage, receiver: &mut Usage, units_moved: i64, now: i64) {
    receiver.used -= units_moved;
    receiver.slot = now;
    if units_moved <= 0 {
        return;
    }
    owner.settle(now);
    let total = owner.used + units_moved;
    let area =
        wide(owner.used) * wide(owner.window_fine().max(0)) + wide(units_moved) * wide(receiver.window_fine().max(0));
    owner.window = narrow(ceil_div(area, wide(total))).min(WINDOW * WINDOW_PRECISION);
    owner.used = total;
    owner.slot = now;
}

fn units(average: i64, window: i64) -> i64 {
    narrow(wide(average) * wide(window) / wide(PRECISION))
}

fn wide(n: i64) -> i128 {
    i128::from(n)
}

fn narrow(n: i128) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn ceil_div(n: i128, by: i128) -> i128 {
    if by == 0 { 0 } else { n / by + i128::from(n % by > 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(units_used: i64, at: i64) -> Usage {
        let mut usage = Usage::default();
        usage.add(units_used, at);
        usage
    }

    #[test]
    fn recovers_linearly_over_a_day() {
        let usage = used(64_285, 100);
        assert_eq!(usage.at(100), 64_285);
        let half = usage.at(100 + WINDOW / 2);
        assert!((32_141..=32_144).contains(&half), "{half}");
        assert_eq!(usage.at(100 + WINDOW), 0);
    }

    #[test]
    fn a_new_use_on_a_half_recovered_one_gets_a_weighted_window() {
        // 50M with 12 h left and 1M new: about 12.2 h, as the protocol's maintainers worked out.
        let mut usage = used(100_000_000, 0);
        usage.add(1_000_000, WINDOW / 2);
        let hours = usage.window_fine() as f64 / 1_000.0 * 3.0 / 3_600.0;
        assert!((12.1..12.4).contains(&hours), "{hours}");
        assert!((50_999_000..=51_001_000).contains(&usage.used), "{}", usage.used);
    }

    #[test]
    fn hand_back_moves_units_and_the_time_they_still_need() {
        let mut receiver = used(60_000, 0);
        let mut owner = Usage::default();
        let now = WINDOW / 4;
        receiver.settle(now);
        let moved = receiver.used;
        hand_back(&mut owner, &mut receiver, moved, now);
        assert_eq!((receiver.used, owner.used), (0, moved));
        assert!(owner.at(now + WINDOW / 2) > 0);
        assert_eq!(
            owner.at(now + WINDOW * 3 / 4 + 1),
            0,
            "what the receiver had recovered stays recovered"
        );
    }

    #[test]
    fn nothing_moves_when_nothing_was_used() {
        let (mut owner, mut receiver) = (used(5_000, 0), Usage::default());
        hand_back(&mut owner, &mut receiver, 0, 7);
        assert_eq!(owner, used(5_000, 0));
        assert_eq!(receiver.used, 0);
    }
}
