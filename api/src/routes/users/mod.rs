//! Users' balances: shown, and corrected by a bot or an operator.

mod adjust;
pub(crate) mod balance;
pub(crate) mod block;
pub(crate) mod deduct;
pub(crate) mod deposit;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod refund;
pub(crate) mod statement;
pub(crate) mod statement_csv;
pub(crate) mod unblock;
