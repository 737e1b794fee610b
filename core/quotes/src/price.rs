//! A price in digits as sun per USDT, an integer. Nothing is a float at any time; every rounding is down, which is fewer sun
//! for a USDT and so in favour of the house.

/// What a price is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quotes {
    /// So many USDT for one TRX.
    UsdtPerTrx,
    /// So many TRX for one USDT.
    TrxPerUsdt,
}

/// Why a text is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not plain digits with at most one point: no sign, no exponent, no `NaN`.
    #[error("the price is not written in plain digits")]
    Malformed,
    /// More digits than any price has.
    #[error("the price has too many digits")]
    TooLong,
    /// Nothing, or so much or little that the rate is none.
    #[error("the price is out of range")]
    OutOfRange,
}

/// Digits before the point.
const WHOLE: usize = 12;
/// Digits behind it.
const DECIMALS: usize = 18;
/// Sun in a TRX, and micro-USDT in a USDT.
const UNIT: u128 = 1_000_000;

/// Reads a price: sun for one USDT, rounded down, above zero.
///
/// # Errors
/// [`PriceError`] for anything but a plain decimal number of sane length that makes a rate.
pub fn sun_per_usdt(text: &str, quotes: Quotes) -> Result<i64, PriceError> {
    let (mantissa, decimals) = read(text)?;
    let scale = power_of_ten(decimals)?;
    let scaled = match quotes {
        // mantissa ≤ 10^30, so the product stays below 10^36
        Quotes::TrxPerUsdt => mantissa.checked_mul(UNIT).and_then(|sun| sun.checked_div(scale)),
        // 1 USDT buys 1 / price TRX
        Quotes::UsdtPerTrx => scale.checked_mul(UNIT).and_then(|sun| sun.checked_div(mantissa)),
    };
    let sun = scaled.and_then(|sun| i64::try_from(sun).ok());
    sun.filter(|sun| *sun > 0).ok_or(PriceError::OutOfRange)
}

/// All digits as one number, and how many of them stand behind the point.
fn read(text: &str) -> Result<(u128, usize), PriceError> {
    let (whole, part) = match text.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || part.is_some_and(|part| !digits(part)) {
        return Err(PriceError::Malformed);
    }
    let part = part.unwrap_or_default();
    if whole.len() > WHOLE || part.len() > DECIMALS {
        return Err(PriceError::TooLong);
    }
    let mantissa = format!("{whole}{part}").parse().map_err(|_| PriceError::TooLong)?;
    Ok((mantissa, part.len()))
}

fn power_of_ten(exponent: usize) -> Result<u128, PriceError> {
    let exponent = u32::try_from(exponent).map_err(|_| PriceError::TooLong)?;
    10_u128.checked_pow(exponent).ok_or(PriceError::TooLong)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Quotes::{TrxPerUsdt, UsdtPerTrx};
    use super::*;

    #[test]
    fn prices_are_read_exactly_and_rounded_down() {
        for (text, quotes, sun) in [
            ("3.52", TrxPerUsdt, 3_520_000),
            ("3.5200009", TrxPerUsdt, 3_520_000),
            ("3", TrxPerUsdt, 3_000_000),
            ("0.000001", TrxPerUsdt, 1),
            ("0.2841", UsdtPerTrx, 3_519_887), // 3.51988736…
            ("0.25", UsdtPerTrx, 4_000_000),
            ("0.3", UsdtPerTrx, 3_333_333),
            ("1", UsdtPerTrx, 1_000_000),
            ("0.28410000000000000", UsdtPerTrx, 3_519_887),
            ("007.5", TrxPerUsdt, 7_500_000),
        ] {
            assert_eq!(sun_per_usdt(text, quotes), Ok(sun), "{text} {quotes:?}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e9", "2.841e-1", "1E2", "NaN", "Infinity", " 1", "1 ", "1,5", "0x1",
            "1.2.3", "٣", "null", "1_000",
        ] {
            for quotes in [UsdtPerTrx, TrxPerUsdt] {
                assert_eq!(sun_per_usdt(text, quotes), Err(PriceError::Malformed), "{text:?}");
            }
        }
        for text in ["1234567890123", "0.1234567890123456789", &"9".repeat(10_000)] {
            assert_eq!(sun_per_usdt(text, UsdtPerTrx), Err(PriceError::TooLong), "{text:.20}");
        }
        for (text, quotes) in [
            ("0", UsdtPerTrx),
            ("0", TrxPerUsdt),
            ("0.000", UsdtPerTrx),
            ("0.0000001", TrxPerUsdt),
            ("999999999999", UsdtPerTrx),
            ("0.000000000000000001", UsdtPerTrx),
        ] {
            assert_eq!(sun_per_usdt(text, quotes), Err(PriceError::OutOfRange), "{text}");
        }
        assert_eq!(sun_per_usdt("999999999999", TrxPerUsdt), Ok(999_999_999_999_000_000));
    }

    proptest! {
        #[test]
        fn a_rate_never_gives_more_than_the_price(whole in 0_u64..1_000_000, part in "[0-9]{1,18}") {
            let text = format!("{whole}.{part}");
            let (mantissa, decimals) = read(&text).unwrap();
            let scale = 10_u128.pow(u32::try_from(decimals).unwrap());
            if let Ok(rate) = sun_per_usdt(&text, TrxPerUsdt) {
                let rate = u128::try_from(rate).unwrap();
                prop_assert!(rate * scale <= mantissa * UNIT && mantissa * UNIT < (rate + 1) * scale);
            }
            if let Ok(rate) = sun_per_usdt(&text, UsdtPerTrx) {
                let rate = u128::try_from(rate).unwrap();
                // rate ≤ 10^6 / price < rate + 1
                prop_assert!(rate * mantissa <= UNIT * scale && UNIT * scale < (rate + 1) * mantissa);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _either = (sun_per_usdt(&text, UsdtPerTrx), sun_per_usdt(&text, TrxPerUsdt));
        }
    }
}
