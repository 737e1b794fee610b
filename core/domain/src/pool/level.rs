//! When an alert begins and when it is over: not at the same figure, or it would come and go.

/// A figure against its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Below it: the alert begins.
    Low,
    /// Above it by less than a fifth: whatever was, stays.
    Between,
    /// The alert is over.
    Fine,
}

impl Level {
    /// Of a figure that is low below `low`.
    pub(super) const fn of(value: i64, low: i64) -> Self {
        if value < low {
            Self::Low
        } else if value < low.saturating_add(low / 5) {
            Self::Between
        } else {
            Self::Fine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_below_and_ends_a_fifth_above() {
        let levels = [99, 100, 119, 120].map(|value| Level::of(value, 100));
        assert_eq!(levels, [Level::Low, Level::Between, Level::Between, Level::Fine]);
        assert_eq!(Level::of(0, 0), Level::Fine);
    }
}
