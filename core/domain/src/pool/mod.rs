//! The pool as a whole: what can be sold now and in the next hours, and what is short.

mod forecast;
mod holds;
mod level;
mod stock;

pub use forecast::{Ending, HOURS, Outlook, Stock, forecast};
pub use holds::{HoldRules, release_unused};
pub(crate) use holds::{hold_in_tx, release_in_tx, take_in_tx};
pub use stock::{PoolNow, Sharing, StockLimits, WalletStock, check_in_tx, now, order_energy, wallets};
