//! Why a devnet could not start or do what its admin asked.

use kernel::ErrorClass;

/// An error of the devnet itself; what the network answers to clients is not one.
#[derive(Debug, thiserror::Error)]
pub enum DevnetError {
    /// An address could not be bound.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The admin asked for something out of bounds.
    #[error("{0}")]
    Invalid(String),
}

impl DevnetError {
    /// The class.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Listen { .. } => ErrorClass::Unavailable,
            Self::Invalid(_) => ErrorClass::Invalid,
        }
    }
}
