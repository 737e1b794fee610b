//! The money of the house and of its users: accounts, transfers, the movements of the business, balances and proofs.
//!
//! Money moves only as a transfer made by one of the [`movements`]; nothing here updates a balance, commits a
//! transaction or calls the outside. A balance is credits minus debits: what users own is positive on their accounts,
//! and all accounts of one asset together are zero.
#![warn(clippy::float_arithmetic, clippy::as_conversions, clippy::arithmetic_side_effects)]

mod account;
mod balances;
mod checkpoint;
mod error;
pub mod movements;
mod of_orders;
mod of_payouts;
mod posting;
mod proofs;
mod statement;
mod transfer;

pub use account::{Account, NetworkName, UnknownAccount};
pub use balances::{Total, escrow_balance, house_balance, lock_user_balance_in_tx, totals, user_balances};
pub use checkpoint::checkpoint_in_tx;
pub use error::LedgerError;
pub use of_orders::{OrderTransfer, transfers_of_orders};
pub use of_payouts::{PayoutTransfer, fees_of_transactions, transfers_of_payouts};
pub use posting::{Posted, post_in_tx, post_many_in_tx};
pub use proofs::{Difference, Imbalance, check_balanced, check_replay};
pub use statement::{Movement, StatementFilter, StatementPlace, statement};
pub use transfer::{Reason, Transfer};
