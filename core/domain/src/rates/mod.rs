//! What TRX a USDT is worth: rounds of answers are judged and stored, and an exchange is done at the rate that is in use at
//! that moment, or not at all. There is no rate of last resort.
//!
//! In use is what an operator set, until it ends. Else the newest round that enough sources answered, if it is fresh and was
//! accepted: where the newest says that the market moved or that sources disagree, the round before is not used either.
//!
//! Asking the sources is the workers' part; nothing here calls anybody.

mod convert;
mod current;
mod judge;
mod round;

pub use convert::{Conversion, NotConverted};
pub(crate) use current::in_force;
pub use current::{HouseRate, NoRate, Overview, current, current_in_tx, overview};
pub use judge::{Judged, judge};
pub(crate) use round::wake_pending_in_tx;
pub use round::{Round, SourceAnswer, record_round};

use chrono::Duration;

/// The subject of findings about the rate.
pub(crate) const SUBJECT: &str = "rates:USDT";

/// What is believed of sources, and what the house keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatePolicy {
    /// Sources that have to answer.
    pub min_sources: usize,
    /// How far the highest answer may be above the lowest, in 1/100 %.
    pub max_spread_bp: u32,
    /// Least sun for a USDT.
    pub lowest: i64,
    /// Most sun for a USDT.
    pub highest: i64,
    /// How far a round may be from the last accepted one, in 1/100 %.
    pub max_step_bp: u32,
    /// An older round is not used.
    pub stale_after: Duration,
    /// What the house keeps of an exchange, in 1/100 %; below 10,000.
    pub fee_bp: u32,
}
