//! Keys as they come in a body: one private key, or a mnemonic and which of its accounts. Nothing of them is quoted.

use settings::Secret;
use vault::{ImportSecret, SecretError};

use crate::problem::{Code, Problem};

const MAX_COUNT: u32 = 100;

/// The fields of a body that hold keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) private_key: Option<&'a Secret>,
    pub(super) mnemonic: Option<&'a Secret>,
    pub(super) passphrase: Option<&'a Secret>,
    pub(super) index: Option<u32>,
    pub(super) count: Option<u32>,
}

impl Given<'_> {
    /// One secret for each key.
    pub(super) fn secrets(self) -> Result<Vec<ImportSecret>, Problem> {
        match (self.private_key, self.mnemonic) {
            (Some(key), None) => {
                if self.index.is_some() || self.count.is_some() || self.passphrase.is_some() {
                    return Err(wrong("#", "index, count and passphrase belong to a mnemonic"));
                }
                Ok(vec![ImportSecret::from_private_key_hex(key.expose()).map_err(refused)?])
            }
            (None, Some(words)) => {
                let (first, count) = (self.index.unwrap_or(0), self.count.unwrap_or(1));
                if !(1..=MAX_COUNT).contains(&count) {
                    return Err(wrong("#/count", "must be between 1 and 100"));
                }
                let passphrase = self.passphrase.map(Secret::expose);
                (0..count)
                    .map(|n| ImportSecret::from_mnemonic(words.expose(), passphrase, first.saturating_add(n)))
                    .collect::<Result<_, _>>()
                    .map_err(refused)
            }
            _ => Err(wrong("#", "give either private_key or mnemonic")),
        }
    }
}

/// A field that is wrong.
pub(super) fn wrong(pointer: &str, detail: &str) -> Problem {
    Problem::field(Code::InvalidBody, pointer, "invalid_value", detail)
}

fn refused(error: SecretError) -> Problem {
    let pointer = match error {
        SecretError::PrivateKey => "#/private_key",
        SecretError::WordCount | SecretError::PhraseLength => "#/mnemonic",
        SecretError::PassphraseLength => "#/passphrase",
        SecretError::Index => "#/index",
        SecretError::Encoding => "#",
    };
    Problem::field(Code::InvalidBody, pointer, "invalid_value", error.to_string())
}
