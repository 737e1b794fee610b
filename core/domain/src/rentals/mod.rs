//! Renting by transfer, without an account: coin that is sent to a published address buys the package that costs exactly as
//! much, for its sender, or for the address that the memo names.
//!
//! The coin is credited to a customer of the house's own, once, as every deposit is; from there it pays the order, which goes
//! the way of every order, or it is paid back, as every payout is. A rental ends delivered or returned, never both: its row
//! is locked for each step, and the database asks the order and the payout before it lets a step pass.
//!
//! Sent back by itself is only what certainly comes home: coin of an address that one customer gave us as his own. From an
//! exchange's address it would be lost to its owner. Whatever else bought nothing waits for an operator.

mod advance;
mod offer;
mod read;
mod record;

pub(crate) use advance::{Moving, return_in_tx, subject};
pub use advance::{Step, advance};
pub use offer::{Package, wish};
pub use read::{find, of_transaction, page};
pub use record::publish;
pub(crate) use record::{RentalTransfer, record_in_tx};

use chrono::Duration;
use kernel::Amount;

use crate::payouts::AssetLimits;
use crate::sweeps::House;

/// What is sold by transfer, and how it is paid back.
#[derive(Debug, Clone)]
pub struct RentalPolicy {
    /// The network that coin comes and energy is delivered on.
    pub network: String,
    /// Where it is sent to.
    pub address: String,
    /// Whom it is credited to, and which key orders are booked under.
    pub house: House,
    /// What is sold; no two cost the same.
    pub packages: Vec<Package>,
    /// What is not delivered this long after its order was placed is given back.
    pub order_deadline: Duration,
    /// The least that is sent back: less costs more than it is worth.
    pub return_from: Amount,
    /// The limits of payouts of TRX; the user's own is not asked.
    pub limits: AssetLimits,
}
