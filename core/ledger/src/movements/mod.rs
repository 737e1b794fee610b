//! The movements of the business, one file each: which account is debited, which is credited, and under which event.

mod chain_fee;
mod deposit_credit;
mod deposit_reversal;
mod exchange;
mod held;
mod operator_adjustment;
mod order_cancel;
mod order_extension;
mod order_hold;
mod order_refund;
mod order_settle;
mod payout_held;
mod payout_hold;
mod payout_settle;
mod payout_void;
mod sweep_energy;

pub(crate) use chain_fee::event as chain_fee_event;
pub use chain_fee::{ChainFee, chain_fees_in_tx};
pub use deposit_credit::{DepositCredit, OnChain, credit_deposits_in_tx};
pub use deposit_reversal::reverse_deposit_in_tx;
pub use exchange::{ExchangeLegs, credit_and_exchange_in_tx, exchange_in_tx};
pub use operator_adjustment::{Adjustment, Direction, adjust_in_tx};
pub use order_cancel::{cancel_in_tx, cancel_many_in_tx};
pub use order_extension::{OrderExtension, order_extension_in_tx};
pub use order_hold::{Hold, hold_in_tx};
pub use order_refund::refund_in_tx;
pub use order_settle::{settle_in_tx, settle_many_in_tx};
pub use payout_hold::{PayoutHold, payout_hold_in_tx};
pub use payout_settle::payout_settle_in_tx;
pub use payout_void::payout_void_in_tx;
pub use sweep_energy::{SweepEnergy, sweep_energy_in_tx};
