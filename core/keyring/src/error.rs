//! What can go wrong with keys. No variant carries a secret, or any part of one.

use kernel::ErrorClass;

/// Why a key was not made, wrapped or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The master key at hand is not the one that is needed: another number, or another value under that number.
    #[error("wrong master key")]
    WrongMasterKey,
    /// The stored bytes were edited, or belong to another wallet.
    #[error("stored key does not open: it was altered or belongs to another wallet")]
    Tampered,
    /// The private key is not the key of the address that it is stored for.
    #[error("the private key is not that of the wallet's address")]
    AddressMismatch,
    /// Bytes or text of another form than expected; says of what.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// A passphrase, salt or iteration count that is too weak or absurdly large; says which.
    #[error("unsafe master key derivation: {0}")]
    Derivation(&'static str),
    /// The sealed import was made for another import key or another wallet, or was altered.
    #[error("the sealed import does not open: another import key, another wallet, or altered")]
    ImportRefused,
    /// The import is sealed in a form that is unknown here.
    #[error("unreadable sealed import")]
    Sealed(#[source] vault::SealError),
    /// The import opened, but holds nothing that is the shape of a secret.
    #[error("unreadable import")]
    Secret(#[source] vault::SecretError),
    /// The secret is no key of the curve, or no mnemonic that keys derive from, or a key could not be made.
    #[error("no usable private key")]
    Key(#[source] tron::TronError),
    /// More keys were asked for at once than is allowed, or none.
    #[error("between 1 and 100 keys can be generated at once")]
    BatchSize,
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    NoRandomness,
    /// The cipher refused valid input.
    #[error("the cipher failed")]
    Cipher,
}

impl KeyringError {
    /// What kind of failure this is.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Derivation(_) | Self::ImportRefused | Self::BatchSize => ErrorClass::Invalid,
            Self::Sealed(error) => error.class(),
            Self::Secret(error) => error.class(),
            Self::Key(error) => error.class(),
            Self::NoRandomness => ErrorClass::Unavailable,
            Self::WrongMasterKey | Self::Tampered | Self::AddressMismatch | Self::Malformed(_) | Self::Cipher => {
                ErrorClass::Bug
            }
        }
    }
}
