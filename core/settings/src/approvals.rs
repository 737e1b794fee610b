//! What a second person has to agree to.
#![expect(missing_docs, reason = "config/default.toml documents the keys, once")]

use kernel::Amount;
use serde::{Deserialize, Serialize};

/// `[approvals]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    pub adjustment_above_trx: Amount,
    pub adjustment_above_usdt: Amount,
    pub key_replacements: bool,
    pub prices: bool,
    pub settings: bool,
    pub expire_s: i64,
    pub open_max: i64,
}
