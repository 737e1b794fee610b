//! Why money did not move.

use db::DbError;
use kernel::{Amount, ErrorClass, OrderId, PayoutId, UserId};

use crate::Account;

/// Why a movement or a look at the books failed.
///
/// After any of these the PostgreSQL transaction must be rolled back: where the database itself refused, it is aborted
/// already.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The query failed; `run_tx` looks below this for deadlocks.
    #[error("the ledger's query failed")]
    Db(#[from] DbError),
    /// The user has less than the movement takes.
    #[error("{account} has less than {needed}")]
    InsufficientFunds {
        /// The account that would fall below zero.
        account: Account,
        /// What was to be taken from it.
        needed: Amount,
    },
    /// There is no such user, so no account can be opened.
    #[error("user {0} does not exist")]
    UnknownUser(UserId),
    /// A business event was posted before, with other contents. Counted and logged where it is found.
    #[error("event {event:?} was posted before with other contents")]
    EventReused {
        /// The id of the event.
        event: String,
    },
    /// The caller's reference of an adjustment already names another adjustment.
    #[error("reference {reference:?} already names another adjustment")]
    ReferenceReused {
        /// What the caller gave.
        reference: String,
    },
    /// The order is paid for already, by another event.
    #[error("order {0} is held already")]
    OrderHeld(OrderId),
    /// The order's money went elsewhere already: it is settled, refunded or cancelled.
    #[error("the money of order {0} is no longer in escrow")]
    OrderEnded(OrderId),
    /// The order was never paid for, so nothing can be settled or given back.
    #[error("order {0} was never held")]
    NotHeld(OrderId),
    /// The payout's money is set aside already, by another event.
    #[error("payout {0} is held already")]
    PayoutHeld(PayoutId),
    /// The payout's money went elsewhere already: it is paid or given back.
    #[error("the money of payout {0} is no longer set aside")]
    PayoutEnded(PayoutId),
    /// The payout's money was never set aside, so nothing can leave or be given back.
    #[error("payout {0} was never held")]
    PayoutNotHeld(PayoutId),
    /// A movement of nothing.
    #[error("the amount is zero")]
    ZeroAmount,
    /// A text is empty, too long or has control characters.
    #[error("{field} is empty, longer than {max} characters or not printable")]
    BadText {
        /// Which one.
        field: &'static str,
        /// Its limit.
        max: usize,
    },
    /// Code of ours made a transfer that is none.
    #[error("malformed transfer: {0}")]
    Malformed(&'static str),
    /// A stored row cannot be understood.
    #[error("unreadable ledger row: {0}")]
    Corrupt(String),
}

impl LedgerError {
    /// What kind of failure this is.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Db(error) => error.class(),
            Self::InsufficientFunds { .. } | Self::ReferenceReused { .. } => ErrorClass::Conflict,
            Self::OrderHeld(_) | Self::OrderEnded(_) => ErrorClass::Conflict,
            Self::PayoutHeld(_) | Self::PayoutEnded(_) => ErrorClass::Conflict,
            Self::UnknownUser(_) => ErrorClass::NotFound,
            Self::ZeroAmount | Self::BadText { .. } => ErrorClass::Invalid,
            Self::EventReused { .. }
            | Self::NotHeld(_)
            | Self::PayoutNotHeld(_)
            | Self::Malformed(_)
            | Self::Corrupt(_) => ErrorClass::Bug,
        }
    }
}

impl From<diesel::result::Error> for LedgerError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(DbError::from(error))
    }
}
