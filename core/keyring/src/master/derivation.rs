//! How a master key is had from what the operator holds. Public: it lies in the database beside the key's number.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::error::KeyringError;
use crate::random;

/// Fewer iterations than these are refused (OWASP's figure for PBKDF2-HMAC-SHA256).
pub const MIN_ITERATIONS: u32 = 600_000;
/// More would keep a worker from starting; a larger number is a slip or an attack.
const MAX_ITERATIONS: u32 = 20_000_000;
const SALT_LEN: usize = 16;
const MAX_SALT_LEN: usize = 64;

/// How the key is had. In JSON: `{"kind":"raw"}` or `{"kind":"pbkdf2","salt":"<hex>","iterations":600000}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Derivation {
    /// The key itself is configured.
    Raw,
    /// A passphrase is configured; the key is its PBKDF2-HMAC-SHA256.
    Pbkdf2(Pbkdf2),
}

/// Salt and cost of a PBKDF2. Cannot be made, or read from JSON, with values that are unsafe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Pbkdf2Text", into = "Pbkdf2Text")]
pub struct Pbkdf2 {
    salt: Vec<u8>,
    iterations: NonZeroU32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pbkdf2Text {
    salt: String,
    iterations: u32,
}

impl Derivation {
    /// A PBKDF2 with a fresh random salt and the least number of iterations, for a new master key.
    ///
    /// # Errors
    /// [`KeyringError::NoRandomness`].
    pub fn new_pbkdf2() -> Result<Self, KeyringError> {
        Pbkdf2::new(random::bytes::<SALT_LEN>()?.to_vec(), MIN_ITERATIONS).map(Self::Pbkdf2)
    }
}

impl Pbkdf2 {
    /// Takes a salt and a number of iterations.
    ///
    /// # Errors
    /// [`KeyringError::Derivation`] for a salt of fewer than 16 or more than 64 bytes, and for fewer than
    /// [`MIN_ITERATIONS`] or more than 20 million iterations.
    pub fn new(salt: Vec<u8>, iterations: u32) -> Result<Self, KeyringError> {
        if !(SALT_LEN..=MAX_SALT_LEN).contains(&salt.len()) {
            return Err(KeyringError::Derivation("salt must have between 16 and 64 bytes"));
        }
        let iterations = NonZeroU32::new(iterations)
            .filter(|count| (MIN_ITERATIONS..=MAX_ITERATIONS).contains(&count.get()))
            .ok_or(KeyringError::Derivation(
                "iterations must be between 600000 and 20000000",
            ))?;
        Ok(Self { salt, iterations })
    }

    pub(crate) fn salt(&self) -> &[u8] {
        &self.salt
    }

    pub(crate) const fn iterations(&self) -> NonZeroU32 {
        self.iterations
    }
}

impl TryFrom<Pbkdf2Text> for Pbkdf2 {
    type Error = KeyringError;

    fn try_from(text: Pbkdf2Text) -> Result<Self, KeyringError> {
        let salt = hex::decode(&text.salt).map_err(|_| KeyringError::Malformed("salt: expected hex digits"))?;
        Self::new(salt, text.iterations)
    }
}

impl From<Pbkdf2> for Pbkdf2Text {
    fn from(pbkdf2: Pbkdf2) -> Self {
        Self {
            salt: hex::encode(&pbkdf2.salt),
            iterations: pbkdf2.iterations.get(),
        }
    }
}
