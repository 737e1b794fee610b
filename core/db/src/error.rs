//! What can go wrong between us and PostgreSQL.

use diesel::result::{DatabaseErrorKind, Error as Diesel};
use kernel::ErrorClass;

/// A failed query, or no connection to make one.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection within the acquire timeout.
    #[error("no database connection: {0}")]
    Pool(String),
    /// PostgreSQL, or the way to it, refused the query.
    #[error("query failed")]
    Query(#[from] Diesel),
    /// The migrations could not be applied.
    #[error("migration failed: {0}")]
    Migration(String),
}

impl DbError {
    /// A row that is not there is `NotFound`; a lost connection passes; anything else is ours to repair.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Query(Diesel::NotFound) => ErrorClass::NotFound,
            Self::Query(error) if is_transient(error) => ErrorClass::Unavailable,
            Self::Pool(_) => ErrorClass::Unavailable,
            Self::Query(_) | Self::Migration(_) => ErrorClass::Bug,
        }
    }

    /// Whether a statement took longer than it may.
    #[must_use]
    pub fn is_statement_timeout(&self) -> bool {
        match self {
            Self::Query(Diesel::DatabaseError(_, info)) => info.message().contains("due to statement timeout"),
            _ => false,
        }
    }
}

/// Whether the server went away, is going, or asked for the transaction to be run again.
pub(crate) fn is_transient(error: &Diesel) -> bool {
    match error {
        Diesel::BrokenTransactionManager => true,
        Diesel::DatabaseError(DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand, _) => true,
        Diesel::DatabaseError(_, info) => {
            is_retryable(error)
                || [
                    "terminating connection",
                    "the database system is",
                    "canceling statement due to",
                    "connection closed",
                ]
                .iter()
                .any(|text| info.message().contains(text))
        }
        _ => false,
    }
}

/// Whether PostgreSQL rolled back only because of others (40001, 40P01): the same transaction may be run again. Of a deadlock diesel
/// keeps no code but the words alone, which are English where the connection could ask for that or the server is set so.
pub(crate) fn is_retryable(error: &Diesel) -> bool {
    match error {
        Diesel::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        Diesel::DatabaseError(_, info) => info.message().contains("deadlock detected"),
        _ => false,
    }
}

/// Whether `error` is the violation of the constraint or unique index called `name`.
#[must_use]
pub fn is_violation_of(error: &Diesel, name: &str) -> bool {
    matches!(error, Diesel::DatabaseError(_, info) if info.constraint_name() == Some(name))
}
