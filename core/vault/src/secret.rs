//! What an operator hands in: a private key in hex, or the words it derives from. Its shape is checked here, never
//! its meaning (checksum of the words, range of the key): that needs code which the API must not link.
//!
//! The clear form leaves this crate only through [`ImportSecret`]'s accessors, which the keyring uses. Nothing here
//! implements `Serialize`, and `Debug` and the errors show none of the input.

use std::fmt;

use kernel::ErrorClass;
use zeroize::Zeroizing;

mod codec;

const WORD_COUNTS: [usize; 5] = [12, 15, 18, 21, 24];
const MAX_PHRASE_LEN: usize = 512;
const MAX_PASSPHRASE_LEN: usize = 256;
/// From here on an index would be a hardened one.
const INDEX_END: u32 = 1 << 31;

/// Why a secret was refused. No variant carries any of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not 64 hex digits, with or without `0x`.
    #[error("not a private key: expected 64 hex digits, with or without 0x")]
    PrivateKey,
    /// Another number of words than BIP-39 has.
    #[error("not a mnemonic: expected 12, 15, 18, 21 or 24 words")]
    WordCount,
    /// The phrase is longer than any mnemonic.
    #[error("not a mnemonic: longer than 512 bytes")]
    PhraseLength,
    /// The passphrase is longer than is accepted.
    #[error("mnemonic passphrase longer than 256 bytes")]
    PassphraseLength,
    /// The account index is that of a hardened child.
    #[error("account index out of range: at most 2147483647")]
    Index,
    /// The opened bytes of an import are not what this crate encodes.
    #[error("the opened import is malformed")]
    Encoding,
}

impl SecretError {
    /// What kind of failure this is: the input's, always.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}

/// A secret on its way to the keyring. Zeroized when dropped.
#[derive(Clone, PartialEq, Eq)]
pub enum ImportSecret {
    /// The 32 bytes of a private key; not yet known to be in the curve's range.
    PrivateKey(Zeroizing<[u8; 32]>),
    /// BIP-39 words and which of their accounts is meant.
    Mnemonic(MnemonicSecret),
}

/// The words of a mnemonic, its passphrase and an account index; not yet known to have a right checksum.
#[derive(Clone, PartialEq, Eq)]
pub struct MnemonicSecret {
    phrase: Zeroizing<String>,
    passphrase: Zeroizing<String>,
    index: u32,
}

impl MnemonicSecret {
    /// The words, each followed by one space but the last.
    #[must_use]
    pub fn phrase(&self) -> &str {
        &self.phrase
    }

    /// The passphrase; empty when there is none, which BIP-39 holds to be the same.
    #[must_use]
    pub fn passphrase(&self) -> &str {
        &self.passphrase
    }

    /// The `i` of `m/44'/195'/0'/0/i`; below 2^31.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }
}

impl ImportSecret {
    /// Reads a private key of 64 hex digits, with or without `0x`.
    ///
    /// # Errors
    /// [`SecretError::PrivateKey`] for anything else; nothing is trimmed.
    pub fn from_private_key_hex(text: &str) -> Result<Self, SecretError> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let mut bytes = Zeroizing::new([0_u8; 32]);
        hex::decode_to_slice(digits, bytes.as_mut_slice()).map_err(|_| SecretError::PrivateKey)?;
        Ok(Self::PrivateKey(bytes))
    }

    /// Takes the words of a mnemonic, separated by any white space, with an optional passphrase and the index of the
    /// account that is meant. The passphrase is taken as it is.
    ///
    /// # Errors
    /// [`SecretError::WordCount`], [`SecretError::PhraseLength`], [`SecretError::PassphraseLength`] or
    /// [`SecretError::Index`], whichever is wrong first.
    pub fn from_mnemonic(phrase: &str, passphrase: Option<&str>, index: u32) -> Result<Self, SecretError> {
        if phrase.len() > MAX_PHRASE_LEN {
            return Err(SecretError::PhraseLength);
        }
        if !WORD_COUNTS.contains(&phrase.split_whitespace().count()) {
            return Err(SecretError::WordCount);
        }
        let passphrase = passphrase.unwrap_or_default();
        if passphrase.len() > MAX_PASSPHRASE_LEN {
            return Err(SecretError::PassphraseLength);
        }
        if index >= INDEX_END {
            return Err(SecretError::Index);
        }
        let passphrase = Zeroizing::new(passphrase.to_owned());
        Ok(Self::Mnemonic(MnemonicSecret {
            phrase: join_words(phrase),
            passphrase,
            index,
        }))
    }
}

/// The words with one space between them. The buffer never grows, so that no copy is left behind in the heap.
fn join_words(phrase: &str) -> Zeroizing<String> {
    let mut joined = Zeroizing::new(String::with_capacity(phrase.len()));
    for word in phrase.split_whitespace() {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(word);
    }
    joined
}

impl fmt::Debug for ImportSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrivateKey(_) => "ImportSecret::PrivateKey(redacted)",
            Self::Mnemonic(_) => "ImportSecret::Mnemonic(redacted)",
        })
    }
}

impl fmt::Debug for MnemonicSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MnemonicSecret(redacted)")
    }
}

#[cfg(test)]
mod tests;
