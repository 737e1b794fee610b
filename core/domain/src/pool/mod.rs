//! The pool as a whole: what can be sold now and in the next hours, and what is short.

mod forecast;
mod level;
mod stock;

pub use forecast::{Ending, HOURS, Outlook, Stock, forecast};
pub use stock::{PoolNow, Sharing, StockLimits, WalletStock, check_in_tx, now, order_energy, wallets};
