//! Where the rate of USDT in TRX comes from, and what is believed of it.
#![expect(missing_docs, reason = "config/default.toml documents the keys, once")]

use kernel::Amount;
use serde::{Deserialize, Serialize};

/// `[rates]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    pub sources: Vec<RateSource>,
    pub min_sources: usize,
    pub max_spread_bp: u32,
    /// TRX for one USDT.
    pub lowest: Amount,
    /// TRX for one USDT.
    pub highest: Amount,
    pub max_step_bp: u32,
    pub stale_after_s: u64,
    pub fee_bp: u32,
    pub timeout_ms: u64,
    pub max_answer_bytes: usize,
    pub allow_plain_http: bool,
}

/// `[[rates.sources]]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateSource {
    pub name: String,
    pub url: String,
    pub pointer: String,
    pub quotes: RateQuote,
}

/// What a source's price is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateQuote {
    /// So many USDT for one TRX.
    UsdtPerTrx,
    /// So many TRX for one USDT.
    TrxPerUsdt,
}

/// What becomes of USDT that a user paid in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsdtDeposits {
    /// It stays USDT.
    Keep,
    /// It is exchanged to TRX.
    Exchange,
}
