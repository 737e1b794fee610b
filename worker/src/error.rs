//! What can go wrong in a job, and what that means for its retry.

use std::path::PathBuf;

use chain::ChainError;
use db::DbError;
use domain::DomainError;
use kernel::ErrorClass;
use keyring::KeyringError;
use tron::TronError;

use crate::queue::Outcome;

/// Why a job's step failed.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// A use case refused or failed.
    #[error("the use case failed")]
    Domain(#[from] DomainError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// The nodes did not answer usably.
    #[error("the chain did not answer")]
    Chain(#[from] ChainError),
    /// A key could not be used.
    #[error("the key of wallet {wallet} cannot be used")]
    Key {
        /// The wallet.
        wallet: uuid::Uuid,
        /// Why, without anything of the key.
        #[source]
        source: KeyringError,
    },
    /// The secret of a webhook endpoint could not be opened.
    #[error(
        "webhook secret {secret} does not open: was vault.import_private_key changed? Rotate the endpoint's secret"
    )]
    WebhookSecret {
        /// The secret's row.
        secret: uuid::Uuid,
        /// Why, without anything of the secret.
        #[source]
        source: KeyringError,
    },
    /// A transaction could not be built.
    #[error("the transaction cannot be built")]
    Build(#[from] TronError),
    /// The end of the audit trail could not be kept.
    #[error("worker.audit_heads_file = {} cannot be written", _0.display())]
    HeadsFile(PathBuf, #[source] std::io::Error),
    /// A row names a network, an address or an id that cannot be.
    #[error("broken row: {0}")]
    Broken(String),
}

impl From<diesel::result::Error> for WorkError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(DbError::Query(error))
    }
}

impl WorkError {
    /// What kind of failure this is.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Domain(error) => error.class(),
            Self::Db(error) => error.class(),
            Self::Chain(error) => error.class(),
            Self::Key { .. } | Self::WebhookSecret { .. } | Self::Broken(_) => ErrorClass::Bug,
            Self::Build(error) => error.class(),
            Self::HeadsFile(..) => ErrorClass::Unavailable,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Domain(_) => "domain",
            Self::Db(_) => "database",
            Self::Chain(_) => "chain_unavailable",
            Self::Key { .. } | Self::WebhookSecret { .. } => "key_unusable",
            Self::Build(_) => "transaction_not_built",
            Self::HeadsFile(..) => "heads_file",
            Self::Broken(_) => "broken_row",
        }
    }
}

/// A handler's result as an outcome.
pub(crate) fn outcome(result: Result<Outcome, WorkError>) -> Outcome {
    result.unwrap_or_else(|error| {
        let class = error.class();
        if class == ErrorClass::Bug {
            tracing::error!(error = &error as &dyn std::error::Error, "job failed on a bug");
        }
        Outcome::of_error(class, error.code(), &error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: impl Into<WorkError>) -> Outcome {
        outcome(Err(error.into()))
    }

    #[test]
    fn who_is_away_is_waited_for_and_what_is_refused_or_broken_comes_to_an_end() {
        let network = || "tron".to_owned();
        let silent = ChainError::Unavailable {
            network: network(),
            last: "connect".into(),
        };
        let refusing = ChainError::Malformed {
            network: network(),
            detail: "a call that failed".into(),
        };
        for away in [of(silent), of(DbError::Pool("no connection".into()))] {
            assert!(matches!(away, Outcome::Away { .. }), "{away:?}");
        }
        for counted in [of(refusing), of(WorkError::Broken("a row".into()))] {
            assert!(matches!(counted, Outcome::Retry { .. }), "{counted:?}");
        }
    }
}
