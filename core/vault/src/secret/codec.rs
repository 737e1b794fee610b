//! The bytes inside a seal. Encoding is for this crate alone; decoding is for whoever opened a seal.
//!
//! ```text
//! private key   1 ‖ 32 bytes
//! mnemonic      2 ‖ index (4, big-endian) ‖ length of the phrase (2, big-endian) ‖ phrase ‖ passphrase (the rest)
//! ```

use zeroize::Zeroizing;

use super::{ImportSecret, MnemonicSecret, SecretError};

const PRIVATE_KEY: u8 = 1;
const MNEMONIC: u8 = 2;

impl ImportSecret {
    /// The clear bytes that are about to be sealed. Made at their full size, so that growing leaves no copy behind.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::PrivateKey(key) => encode_private_key(key),
            Self::Mnemonic(mnemonic) => encode_mnemonic(mnemonic),
        }
    }

    /// Reads what was sealed, once it has been opened. The bytes are zeroized, whatever the outcome.
    ///
    /// # Errors
    /// [`SecretError::Encoding`] when the layout is wrong, and the constructors' errors when the contents are.
    pub fn decode(bytes: Zeroizing<Vec<u8>>) -> Result<Self, SecretError> {
        match bytes.split_first() {
            Some((&PRIVATE_KEY, key)) => decode_private_key(key),
            Some((&MNEMONIC, rest)) => decode_mnemonic(rest),
            _ => Err(SecretError::Encoding),
        }
    }
}

fn encode_private_key(key: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(1 + key.len()));
    out.push(PRIVATE_KEY);
    out.extend_from_slice(key);
    out
}

fn encode_mnemonic(mnemonic: &MnemonicSecret) -> Zeroizing<Vec<u8>> {
    let (phrase, passphrase) = (mnemonic.phrase.as_bytes(), mnemonic.passphrase.as_bytes());
    // A phrase is at most 512 bytes long.
    let phrase_len = u16::try_from(phrase.len()).unwrap_or(u16::MAX);
    let mut out = Zeroizing::new(Vec::with_capacity(1 + 4 + 2 + phrase.len() + passphrase.len()));
    out.push(MNEMONIC);
    out.extend_from_slice(&mnemonic.index.to_be_bytes());
    out.extend_from_slice(&phrase_len.to_be_bytes());
    out.extend_from_slice(phrase);
    out.extend_from_slice(passphrase);
    out
}

fn decode_private_key(key: &[u8]) -> Result<ImportSecret, SecretError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    if key.len() != bytes.len() {
        return Err(SecretError::Encoding);
    }
    bytes.copy_from_slice(key);
    Ok(ImportSecret::PrivateKey(bytes))
}

fn decode_mnemonic(rest: &[u8]) -> Result<ImportSecret, SecretError> {
    let (index, rest) = rest.split_first_chunk::<4>().ok_or(SecretError::Encoding)?;
    let (phrase_len, rest) = rest.split_first_chunk::<2>().ok_or(SecretError::Encoding)?;
    let phrase_len = usize::from(u16::from_be_bytes(*phrase_len));
    let (phrase, passphrase) = rest.split_at_checked(phrase_len).ok_or(SecretError::Encoding)?;
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| SecretError::Encoding);
    ImportSecret::from_mnemonic(text(phrase)?, Some(text(passphrase)?), u32::from_be_bytes(*index))
}
