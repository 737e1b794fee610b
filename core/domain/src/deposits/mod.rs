//! Deposits: transfers to addresses of ours are recorded when their block is read, and credited once it is final.
//!
//! Three things make a double impossible: the row's key is the chain's own name of the transfer, the ledger's event is made
//! of the same name, and a decision is a guarded update from the state that it was made in.

mod again;
pub mod classify;
mod credit;
mod news;
mod open;
mod order;
mod read;
mod record;

pub use again::{Asked, ReadAgain, ask, read_again, solid_number};
pub use credit::{CreditPolicy, Credited, credit, expire};
pub(crate) use credit::{amount_of, on_chain, post_in_tx, receive_in_tx, subject};
pub(crate) use news::tell_of_transfers_in_tx;
pub use open::{Announced, DepositPolicy, OpenDeposit, TAILS, open};
pub use order::{Placing, WantedOrder, place_order};
pub(crate) use order::{orders_due_in_tx, take_back_in_tx};
use read::find_in;
pub use read::{find, page};
pub(crate) use record::{due_in_tx, record_in_tx, revert_in_tx};
