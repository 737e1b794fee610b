//! The master key: where it comes from, and how the right one is recognised. It is never stored.

use std::fmt;
use std::num::NonZeroU32;

use zeroize::Zeroizing;

use crate::aead;
use crate::error::KeyringError;

mod derivation;

pub use derivation::{Derivation, MIN_ITERATIONS, Pbkdf2};

const CHECK_TEXT: &[u8; 32] = b"switchyard/master-key/v1/checked";
const CHECK_LABEL: &[u8] = b"switchyard/master-key/v1";
const MIN_PASSPHRASE_LEN: usize = 12;
const MAX_PASSPHRASE_LEN: usize = 1024;

/// The key under which every data key is wrapped, with its number in table `master_keys`. Zeroized when dropped.
pub struct MasterKey {
    id: i32,
    bytes: Zeroizing<[u8; 32]>,
}

/// What the operator configured: the key itself or a passphrase. Zeroized when dropped.
pub enum MasterKeySource {
    /// 64 hex digits, from the environment or from a file; white space around them is ignored.
    Raw(Zeroizing<String>),
    /// A passphrase of at least 12 bytes, taken as it is.
    Passphrase(Zeroizing<String>),
}

impl MasterKey {
    /// Makes master key number `id` from what the operator configured, in the way that `derivation` says.
    ///
    /// With [`Derivation::Pbkdf2`] this takes a good part of a second of processor time: async callers use
    /// `spawn_blocking`.
    ///
    /// # Errors
    /// [`KeyringError::Malformed`] when the text is not 64 hex digits or is all zeros, or when a raw key is
    /// configured where a passphrase is needed or the other way round; [`KeyringError::Derivation`] for a passphrase
    /// that is too short or too long.
    pub fn new(id: i32, source: &MasterKeySource, derivation: &Derivation) -> Result<Self, KeyringError> {
        let bytes = match (source, derivation) {
            (MasterKeySource::Raw(text), Derivation::Raw) => parse_hex(text)?,
            (MasterKeySource::Passphrase(text), Derivation::Pbkdf2(pbkdf2)) => {
                derive(text, pbkdf2.salt(), pbkdf2.iterations())?
            }
            _ => return Err(KeyringError::Malformed("master key: raw key and passphrase mixed up")),
        };
        Ok(Self { id, bytes })
    }

    /// The key's number.
    #[must_use]
    pub const fn id(&self) -> i32 {
        self.id
    }

    /// A known text encrypted under this key, to be stored with its number. Each call gives other bytes.
    ///
    /// # Errors
    /// [`KeyringError::NoRandomness`].
    pub fn check_value(&self) -> Result<Vec<u8>, KeyringError> {
        aead::seal(&self.bytes, &self.check_binding(), CHECK_TEXT)
    }

    /// Tells whether this is the key, and the number, that `check_value` was made with.
    ///
    /// # Errors
    /// [`KeyringError::WrongMasterKey`] when it is not.
    pub fn verify(&self, check_value: &[u8]) -> Result<(), KeyringError> {
        match aead::open::<32>(&self.bytes, &self.check_binding(), check_value) {
            Ok(text) if *text == *CHECK_TEXT => Ok(()),
            _ => Err(KeyringError::WrongMasterKey),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    fn check_binding(&self) -> Vec<u8> {
        [CHECK_LABEL, &self.id.to_be_bytes()].concat()
    }
}

/// 64 hex digits with white space around them. A key of zeros is a forgotten placeholder.
fn parse_hex(text: &str) -> Result<Zeroizing<[u8; 32]>, KeyringError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(text.trim_ascii(), bytes.as_mut_slice())
        .map_err(|_| KeyringError::Malformed("master key: expected 64 hex digits"))?;
    if bytes.iter().all(|byte| *byte == 0) {
        return Err(KeyringError::Malformed("master key: all zeros"));
    }
    Ok(bytes)
}

fn derive(passphrase: &str, salt: &[u8], iterations: NonZeroU32) -> Result<Zeroizing<[u8; 32]>, KeyringError> {
    if !(MIN_PASSPHRASE_LEN..=MAX_PASSPHRASE_LEN).contains(&passphrase.len()) {
        return Err(KeyringError::Derivation(
            "passphrase must have between 12 and 1024 bytes",
        ));
    }
    let mut bytes = Zeroizing::new([0_u8; 32]);
    let algorithm = ring::pbkdf2::PBKDF2_HMAC_SHA256;
    ring::pbkdf2::derive(algorithm, iterations, salt, passphrase.as_bytes(), bytes.as_mut_slice());
    Ok(bytes)
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey(number {}, redacted)", self.id)
    }
}

impl fmt::Debug for MasterKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw(_) => "MasterKeySource::Raw(redacted)",
            Self::Passphrase(_) => "MasterKeySource::Passphrase(redacted)",
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
