//! What exchanges say TRX costs. One bounded GET per source, all at once; the price is found by a JSON pointer and read
//! digit by digit into sun per USDT, never through a float.
//!
//! Knows nothing of the database, and believes nobody: whether answers are used is for `domain::rates` to judge.
#![warn(clippy::float_arithmetic, clippy::as_conversions)]

mod client;
mod extract;
mod price;

pub use client::{Answer, QuoteClient, QuotePolicy, Source};
pub use price::{PriceError, Quotes, sun_per_usdt};

/// Why a source gave no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// The address is none that is called.
    #[error("the address is not called")]
    Url,
    /// No connection, or no TLS.
    #[error("no connection")]
    Connect,
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke, or what came is not HTTP.
    #[error("the call broke")]
    Broken,
    /// Another status than 200; a redirect is one.
    #[error("answered with status {0}")]
    Status(u16),
    /// More bytes than are read.
    #[error("the answer is too long")]
    TooLarge,
    /// No JSON, or nothing where the price is to stand.
    #[error("there is no price in the answer")]
    NoPrice,
    /// What stands there is no price.
    #[error(transparent)]
    Price(#[from] PriceError),
}

impl QuoteError {
    /// A stable word for metrics and for the stored round.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::NoPrice => "no_price",
            Self::Price(_) => "bad_price",
        }
    }
}

/// Every outcome of a call, as metrics name it.
pub const OUTCOMES: [&str; 9] = [
    "ok",
    "url",
    "connect",
    "timeout",
    "broken",
    "status",
    "too_large",
    "no_price",
    "bad_price",
];
