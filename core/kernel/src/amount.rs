//! Money as integers of minor units (sun, micro-USDT), and its decimal-string form for people and JSON.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Decimals of every asset that the ledger keeps. Chains whose token has other decimals convert at their border.
const DECIMALS: u32 = 6;
const UNIT: i64 = 1_000_000;

/// What an amount is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Asset {
    /// TRON's coin; minor unit sun, 10^-6 TRX.
    Trx,
    /// Tether; minor unit micro-USDT, 10^-6 USDT.
    Usdt,
}

impl Asset {
    /// Every asset.
    pub const ALL: [Self; 2] = [Self::Trx, Self::Usdt];

    /// The ticker, as stored and shown.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Trx => "TRX",
            Self::Usdt => "USDT",
        }
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An asset code that is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown asset; use TRX or USDT")]
pub struct UnknownAsset;

impl FromStr for Asset {
    type Err = UnknownAsset;

    fn from_str(text: &str) -> Result<Self, UnknownAsset> {
        Self::ALL
            .into_iter()
            .find(|asset| asset.code() == text)
            .ok_or(UnknownAsset)
    }
}

/// A non-negative amount in minor units. Arithmetic is checked; the JSON form is a decimal string, `"12.500000"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Amount(i64);

/// Why an amount was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a plain decimal number.
    #[error("not an amount: write digits, a point and at most 6 decimals, such as \"12.5\"")]
    Malformed,
    /// More decimals than the asset has; nothing is rounded silently.
    #[error("too many decimals: at most 6")]
    TooPrecise,
    /// Beyond what the ledger can hold, or below zero.
    #[error("amount out of range")]
    OutOfRange,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount that the database can hold.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount of `minor` units (sun or micro-USDT).
    ///
    /// # Errors
    /// [`AmountError::OutOfRange`] when negative.
    pub const fn from_minor(minor: i64) -> Result<Self, AmountError> {
        if minor < 0 {
            Err(AmountError::OutOfRange)
        } else {
            Ok(Self(minor))
        }
    }

    /// The number of minor units; never negative.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).filter(|minor| *minor >= 0).map(Self)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.div_euclid(UNIT);
        let part = self.0.rem_euclid(UNIT);
        write!(f, "{whole}.{part:06}")
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let (whole, part) = text
            .split_once('.')
            .map_or((text, None), |(whole, part)| (whole, Some(part)));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || part.is_some_and(|p| !digits(p)) {
            return Err(AmountError::Malformed);
        }
        let part = part.unwrap_or("0");
        if part.len() > usize::try_from(DECIMALS).unwrap_or(usize::MAX) {
            return Err(AmountError::TooPrecise);
        }
        let whole: i64 = whole.parse().map_err(|_| AmountError::OutOfRange)?;
        let part: i64 = format!("{part:0<6}").parse().map_err(|_| AmountError::Malformed)?;
        whole
            .checked_mul(UNIT)
            .and_then(|w| w.checked_add(part))
            .map(Self)
            .ok_or(AmountError::OutOfRange)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    /// Accepts only a string: a JSON number would already have passed through somebody's float.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_and_refuses() {
        let ok = [
            ("0", 0),
            ("1", 1_000_000),
            ("12.5", 12_500_000),
            ("0.000001", 1),
            ("007.10", 7_100_000),
        ];
        for (text, minor) in ok {
            assert_eq!(text.parse::<Amount>().map(Amount::minor), Ok(minor), "{text}");
        }
        let bad = [
            "", ".", "1.", ".5", "-1", "+1", "1e3", " 1", "1 ", "1,5", "0x1", "1.2.3", "٣",
        ];
        for text in bad {
            assert_eq!(text.parse::<Amount>(), Err(AmountError::Malformed), "{text:?}");
        }
        assert_eq!("0.0000001".parse::<Amount>(), Err(AmountError::TooPrecise));
        assert_eq!("9223372036854.775808".parse::<Amount>(), Err(AmountError::OutOfRange));
        assert_eq!("9223372036854.775807".parse::<Amount>(), Ok(Amount::MAX));
    }

    #[test]
    fn a_json_number_is_refused() {
        assert!(serde_json::from_str::<Amount>("12.5").is_err());
        assert!(serde_json::from_str::<Amount>("12").is_err());
        assert_eq!(serde_json::from_str::<Amount>("\"12.5\"").unwrap().minor(), 12_500_000);
    }

    proptest! {
        #[test]
        fn text_round_trips(minor in 0..=i64::MAX) {
            let amount = Amount::from_minor(minor).unwrap();
            prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
        }

        #[test]
        fn subtraction_undoes_addition(a in 0..=i64::MAX, b in 0..=i64::MAX) {
            let (a, b) = (Amount(a), Amount(b));
            if let Some(sum) = a.checked_add(b) { prop_assert_eq!(sum.checked_sub(b), Some(a)); }
            prop_assert_eq!(a.checked_sub(b).is_none(), a < b);
        }
    }
}
