//! Sealing and the form of what is sealed. There is no way back in this crate.

use std::fmt;

use hpke::inout::InOutBuf;
use hpke::{OpModeS, Serializable, single_shot_seal_inout_detached};
use kernel::{ErrorClass, WalletId};
use zeroize::Zeroizing;

use crate::public_key::ImportPublicKey;
use crate::secret::ImportSecret;
use crate::suite::{Aead, INFO, Kdf, Kem, WEBHOOK_INFO, associated_data};

/// The longest sealed import that is made or accepted, in bytes; the database says the same.
pub const MAX_SEALED_LEN: usize = 4096;

const VERSION: u8 = 1;
const ENCAPSULATED_LEN: usize = 32;
const TAG_LEN: usize = 16;
const HEADER_LEN: usize = 1 + ENCAPSULATED_LEN;

/// Why a secret was not sealed, or bytes are not a sealed import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The text or bytes are not a key that can be sealed to.
    #[error("not an import public key: expected 64 hex digits of an X25519 public key")]
    PublicKey,
    /// The cipher refused; it does not for any key and secret that this crate lets through.
    #[error("the secret could not be sealed")]
    Cipher,
    /// Too short or too long to be a sealed import.
    #[error("not a sealed import: wrong length")]
    Length,
    /// Sealed by a version of this program that this one does not know.
    #[error("sealed with format version {0}, which is unknown here")]
    Version(u8),
}

impl SealError {
    /// What kind of failure this is.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::PublicKey | Self::Length | Self::Version(_) => ErrorClass::Invalid,
            Self::Cipher => ErrorClass::Bug,
        }
    }
}

/// A secret that only the holder of the import private key can read, in the form in which it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedImport(Vec<u8>);

impl SealedImport {
    /// Reads the stored form. Whether it opens is another question: nothing is decrypted here.
    ///
    /// # Errors
    /// [`SealError::Length`] when it is shorter than any seal or longer than [`MAX_SEALED_LEN`], and
    /// [`SealError::Version`] for a version byte that is unknown.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        if bytes.len() <= HEADER_LEN + TAG_LEN || bytes.len() > MAX_SEALED_LEN {
            return Err(SealError::Length);
        }
        match bytes[0] {
            VERSION => Ok(Self(bytes.to_vec())),
            other => Err(SealError::Version(other)),
        }
    }

    /// The stored form: version byte, encapsulated key, ciphertext and tag.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The sender's 32 bytes, from which the receiver derives the key.
    #[must_use]
    pub fn encapsulated_key(&self) -> &[u8] {
        &self.0[1..HEADER_LEN]
    }

    /// The encrypted secret without its tag.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.0[HEADER_LEN..self.0.len() - TAG_LEN]
    }

    /// The 16 bytes of the authentication tag.
    #[must_use]
    pub fn tag(&self) -> &[u8] {
        &self.0[self.0.len() - TAG_LEN..]
    }
}

impl fmt::Debug for SealedImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedImport({} bytes)", self.0.len())
    }
}

/// Seals `secret` to the holder of `public_key`, bound to `wallet_id`: it opens for that wallet and for no other.
///
/// # Errors
/// [`SealError::Cipher`] when the cipher refuses, and [`SealError::Length`] when the seal would be too long; neither
/// happens for keys and secrets that their constructors accepted.
///
/// # Panics
/// When the operating system has no randomness to give.
pub fn seal(
    public_key: &ImportPublicKey,
    wallet_id: WalletId,
    secret: &ImportSecret,
) -> Result<SealedImport, SealError> {
    seal_for(public_key, INFO, &associated_data(wallet_id), secret.encode())
}

/// Seals the secret that an endpoint's messages are signed with, bound to `secret_id`: it opens as a webhook secret of
/// that row and as nothing else.
///
/// # Errors
/// As [`seal`].
///
/// # Panics
/// When the operating system has no randomness to give.
pub fn seal_webhook_secret(
    public_key: &ImportPublicKey,
    secret_id: &[u8; 16],
    secret: &[u8],
) -> Result<SealedImport, SealError> {
    seal_for(public_key, WEBHOOK_INFO, secret_id, Zeroizing::new(secret.to_vec()))
}

fn seal_for(
    public_key: &ImportPublicKey,
    info: &[u8],
    bound_to: &[u8; 16],
    mut buffer: Zeroizing<Vec<u8>>,
) -> Result<SealedImport, SealError> {
    // Encrypted in place: the clear bytes are overwritten by the ciphertext, and zeroized if that fails.
    let (encapsulated, tag) = single_shot_seal_inout_detached::<Aead, Kdf, Kem>(
        &OpModeS::Base,
        public_key.hpke(),
        info,
        InOutBuf::from(buffer.as_mut_slice()),
        bound_to,
    )
    .map_err(|_| SealError::Cipher)?;
    let mut bytes = Vec::with_capacity(HEADER_LEN + buffer.len() + TAG_LEN);
    bytes.push(VERSION);
    bytes.extend_from_slice(&encapsulated.to_bytes());
    bytes.extend_from_slice(&buffer);
    bytes.extend_from_slice(&tag.to_bytes());
    SealedImport::from_bytes(&bytes)
}

#[cfg(test)]
mod tests;
