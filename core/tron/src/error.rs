//! What can be wrong with keys, phrases and transactions. No message carries key material.

use kernel::ErrorClass;

/// Why a pure TRON operation failed.
#[derive(Debug, thiserror::Error)]
pub enum TronError {
    /// Not 64 hex digits, or not a scalar of secp256k1.
    #[error("not a private key: expected 64 hex digits of a number below the curve's order, not zero")]
    InvalidKey,
    /// Wrong length, recovery id or numbers, or no key fits.
    #[error("not a signature that a key can be recovered from")]
    InvalidSignature,
    /// Unknown word, wrong number of words, or wrong checksum.
    #[error("not an English BIP39 phrase of 12 to 24 words with a right checksum")]
    InvalidMnemonic,
    /// The derivation met one of the numbers that BIP32 excludes.
    #[error("no key at account index {0}")]
    Derivation(u32),
    /// The operating system gave no random bytes.
    #[error("no randomness: {0}")]
    Randomness(String),
    /// Not 64 hex digits.
    #[error("not a block id: expected 64 hex digits")]
    InvalidBlockId,
    /// Not protobuf, or not that message.
    #[error("not a transaction")]
    Decode(#[from] prost::DecodeError),
    /// The bytes parse, but a node would hash them after writing them in another way.
    #[error("not in canonical protobuf form: its id would not be the hash of these bytes")]
    NotCanonical,
    /// A transaction that parses and is not one of those we know.
    #[error("unsupported contract: {0}")]
    Unsupported(String),
    /// An amount, limit or weight outside the range that the formulas are for.
    #[error("energy figures out of range: {0}")]
    EnergyRange(&'static str),
}

impl TronError {
    /// What the caller can do about it.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Randomness(_) => ErrorClass::Unavailable,
            Self::InvalidKey
            | Self::InvalidSignature
            | Self::InvalidMnemonic
            | Self::Derivation(_)
            | Self::InvalidBlockId
            | Self::Decode(_)
            | Self::NotCanonical
            | Self::Unsupported(_)
            | Self::EnergyRange(_) => ErrorClass::Invalid,
        }
    }
}
