//! Users' balances: shown, and corrected by a bot or an operator.

mod adjust;
pub(crate) mod balance;
pub(crate) mod deduct;
pub(crate) mod deposit;
pub(crate) mod refund;
