//! What a rate makes of USDT. Integers alone; each of the two roundings is down: at most a sun for a USDT and then a sun less
//! than the exact sum, never more.

use kernel::Amount;

/// An exchange's figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// The rate less the fee, in sun for a USDT.
    pub net_sun_per_usdt: i64,
    /// What the user gets; not zero.
    pub trx: Amount,
}

/// Why a rate makes nothing of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotConverted {
    /// It would be less than a sun.
    TooSmall,
    /// It would be more than can be held.
    TooLarge,
}

impl NotConverted {
    /// The stored word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooSmall => "too_small",
            Self::TooLarge => "too_large",
        }
    }
}

/// Micro-USDT in a USDT.
const UNIT: i128 = 1_000_000;
/// 1/100 % in the whole.
const WHOLE_BP: i128 = 10_000;

/// The rate that is left to the user.
pub(super) fn net(sun_per_usdt: i64, fee_bp: u32) -> i64 {
    let left = WHOLE_BP - i128::from(fee_bp).min(WHOLE_BP);
    // no more than sun_per_usdt
    i64::try_from(i128::from(sun_per_usdt) * left / WHOLE_BP).unwrap_or(0)
}

/// What `usdt` is worth at a rate after the fee.
pub(super) fn convert(usdt: Amount, net_sun_per_usdt: i64) -> Result<Conversion, NotConverted> {
    // both are below 2^63
    let sun = i128::from(usdt.minor()) * i128::from(net_sun_per_usdt) / UNIT;
    let sun = i64::try_from(sun).map_err(|_| NotConverted::TooLarge)?;
    let trx = Amount::from_minor(sun).map_err(|_| NotConverted::TooLarge)?;
    if trx.is_zero() {
        return Err(NotConverted::TooSmall);
    }
    Ok(Conversion { net_sun_per_usdt, trx })
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::Duration;
    use proptest::prelude::*;

    use super::*;
    use crate::rates::RatePolicy;

    /// As configured by default.
    pub(in crate::rates) fn policy() -> RatePolicy {
        RatePolicy {
            min_sources: 2,
            max_spread_bp: 100,
            lowest: 1_000_000,
            highest: 20_000_000,
            max_step_bp: 500,
            stale_after: Duration::seconds(300),
            fee_bp: 0,
        }
    }

    fn usdt(micro: i64) -> Amount {
        Amount::from_minor(micro).unwrap()
    }

    #[test]
    fn what_is_exchanged_is_rounded_down() {
        for (micro, rate, sun) in [
            (1_000_000, 3_519_887, Ok(3_519_887)),
            (10_004_711, 3_519_887, Ok(35_215_452)), // …452.186…
            (1, 3_519_887, Ok(3)),
            (1, 1_000_000, Ok(1)),
            (1, 999_999, Err(NotConverted::TooSmall)),
            (0, 3_519_887, Err(NotConverted::TooSmall)),
            (i64::MAX, 1_000_000, Ok(i64::MAX)),
            (i64::MAX, 1_000_001, Err(NotConverted::TooLarge)),
            (i64::MAX, i64::MAX, Err(NotConverted::TooLarge)),
        ] {
            let converted = convert(usdt(micro), rate).map(|conversion| conversion.trx.minor());
            assert_eq!(converted, sun, "{micro} at {rate}");
        }
        for (rate, fee, left) in [
            (3_519_887, 0, 3_519_887),
            (3_519_887, 50, 3_502_287), // …287.565
            (1, 1, 0),
            (i64::MAX, 0, i64::MAX),
            (3_519_887, 10_000, 0),
            (3_519_887, u32::MAX, 0),
        ] {
            assert_eq!(net(rate, fee), left, "{rate} less {fee}");
        }
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_the_exact_sum(micro in 0..=i64::MAX, rate in 1..=i64::MAX, fee in 0_u32..10_000) {
            let left = net(rate, fee);
            prop_assert!(i128::from(left) * 10_000 <= i128::from(rate) * i128::from(10_000 - fee));
            if let Ok(conversion) = convert(usdt(micro), left) {
                let (sun, exact) = (i128::from(conversion.trx.minor()), i128::from(micro) * i128::from(left));
                prop_assert!(sun > 0 && sun * 1_000_000 <= exact && exact < (sun + 1) * 1_000_000);
            }
        }

        #[test]
        fn to_exchange_in_parts_is_never_better(one in 0..1_i64 << 40, other in 0..1_i64 << 40, rate in 1..1_i64 << 40) {
            let sun = |micro| convert(usdt(micro), rate).map_or(0, |conversion| conversion.trx.minor());
            prop_assert!(sun(one) + sun(other) <= sun(one + other));
        }
    }
}
