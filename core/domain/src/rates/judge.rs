//! Whether a round of answers is believed. Pure: numbers in, a verdict out.

use db::models::RateRefusal;

use super::RatePolicy;

/// What a round is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// The median of the answers, of an even number the lower of the two in the middle, which is in favour of the house; `None`
    /// where too few answered.
    pub sun_per_usdt: Option<i64>,
    /// Why it is not used.
    pub refused_as: Option<RateRefusal>,
}

/// Judges the rates that sources gave. `known` are rates that this one may be near to: the last accepted one, and what an
/// operator set since. With none any rate within the band is the first.
#[must_use]
pub fn judge(rates: &[i64], known: &[i64], policy: &RatePolicy) -> Judged {
    let mut sorted = rates.to_vec();
    sorted.sort_unstable();
    let enough = sorted.len() >= policy.min_sources;
    let (Some(&lowest), Some(&highest), true) = (sorted.first(), sorted.last(), enough) else {
        return Judged {
            sun_per_usdt: None,
            refused_as: Some(RateRefusal::TooFew),
        };
    };
    let median = sorted.get((sorted.len() - 1) / 2).copied().unwrap_or(lowest);
    let refused_as = if lowest < policy.lowest || highest > policy.highest {
        Some(RateRefusal::Band)
    } else if !within(lowest, highest, policy.max_spread_bp) {
        Some(RateRefusal::Spread)
    } else if !known.is_empty() && !known.iter().any(|near| within(*near, median, policy.max_step_bp)) {
        Some(RateRefusal::Step)
    } else {
        None
    };
    Judged {
        sun_per_usdt: Some(median),
        refused_as,
    }
}

/// Whether `other` is at most so many 1/100 % of `base` away from it.
fn within(base: i64, other: i64, bp: u32) -> bool {
    let apart = (i128::from(other) - i128::from(base)).abs();
    apart * 10_000 <= i128::from(base) * i128::from(bp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rates::convert::tests::policy;

    #[test]
    fn the_median_is_used_and_of_two_the_lower() {
        for (rates, median) in [
            (vec![3_500_000, 3_510_000], 3_500_000),
            (vec![3_510_000, 3_500_000], 3_500_000),
            (vec![3_520_000, 3_500_000, 3_510_000], 3_510_000),
            (vec![3_500_000, 3_520_000, 3_510_000, 3_515_000], 3_510_000),
        ] {
            let judged = judge(&rates, &[], &policy());
            assert_eq!(
                (judged.sun_per_usdt, judged.refused_as),
                (Some(median), None),
                "{rates:?}"
            );
        }
    }

    #[test]
    fn what_is_not_believed_is_refused_with_its_reason() {
        use RateRefusal::{Band, Spread, Step, TooFew};
        let base = 3_500_000;
        for (rates, known, refused) in [
            (vec![], vec![], Some(TooFew)),
            (vec![base], vec![base], Some(TooFew)),
            (vec![base, base], vec![], None),
            (vec![999_999, 999_999], vec![], Some(Band)),
            (vec![1_000_000, 1_000_000], vec![], None),
            (vec![20_000_001, 20_000_000], vec![], Some(Band)),
            // one that is beyond all sense spoils the round, however many agree
            (vec![base, base, base, 1], vec![base], Some(Band)),
            (vec![base, base, base, i64::MAX], vec![base], Some(Band)),
            (vec![base, base + 35_000], vec![base], None),
            (vec![base, base + 35_001], vec![base], Some(Spread)),
            (vec![base, base, base + 35_001], vec![base], Some(Spread)),
            (vec![base + 175_000, base + 175_000], vec![base], None),
            (vec![base + 175_001, base + 175_001], vec![base], Some(Step)),
            (vec![base - 175_001, base - 175_001], vec![base], Some(Step)),
            // an operator set a rate near it since
            (vec![5_000_000, 5_010_000], vec![base, 4_900_000], None),
            (vec![base, base], vec![5_000_000, base], None),
        ] {
            assert_eq!(
                judge(&rates, &known, &policy()).refused_as,
                refused,
                "{rates:?} {known:?}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn an_accepted_rate_is_one_that_was_said_and_near_all_others(
            rates in proptest::collection::vec(1_000_000_i64..20_000_000, 0..7), known in 1_000_000_i64..20_000_000
        ) {
            let judged = judge(&rates, &[known], &policy());
            if let (Some(sun), None) = (judged.sun_per_usdt, judged.refused_as) {
                proptest::prop_assert!(rates.contains(&sun) && rates.len() >= 2);
                let below = rates.iter().filter(|rate| **rate < sun).count();
                let above = rates.iter().filter(|rate| **rate > sun).count();
                proptest::prop_assert!(below <= rates.len() / 2 && above <= rates.len() / 2);
                for rate in &rates {
                    proptest::prop_assert!((rate - sun).abs() * 100 <= (*rate).max(sun));
                }
                proptest::prop_assert!((sun - known).abs() * 20 <= known);
            }
        }

        #[test]
        fn no_numbers_overflow(rates in proptest::collection::vec(1..=i64::MAX, 0..5), known in 1..=i64::MAX) {
            let _verdict = judge(&rates, &[known], &policy());
        }
    }
}
