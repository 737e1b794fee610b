//! Percentiles.

use serde::Serialize;

/// Milliseconds that a thing took, over many times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) count: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Spread {
    /// Of microseconds; `None` of none at all. The percentile is the value that so many do not exceed, never a mean of two.
    pub(crate) fn of(mut us: Vec<i64>) -> Option<Self> {
        us.sort_unstable();
        let at = |percent: usize| {
            let rank = (us.len() * percent).div_ceil(100).max(1);
            us.get(rank - 1).copied().map(millis)
        };
        Some(Self {
            count: us.len(),
            p50_ms: at(50)?,
            p95_ms: at(95)?,
            p99_ms: at(99)?,
            max_ms: at(100)?,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn millis(us: i64) -> f64 {
    us as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let spread = Spread::of((1..=200).rev().map(|n| n * 1_000).collect()).unwrap();
        let got = (spread.count, spread.p50_ms, spread.p95_ms, spread.p99_ms, spread.max_ms);
        assert_eq!(format!("{got:?}"), "(200, 100.0, 190.0, 198.0, 200.0)");
        let one = Spread::of(vec![7_500]).unwrap();
        assert!((one.p99_ms - 7.5).abs() < 1e-9);
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
