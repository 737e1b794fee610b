//! BIP39 phrases and the TRON accounts under them (BIP44, `m/44'/195'/0'/0/index`).

use std::fmt;

use bip32::{ChildNumber, XPrv};
use zeroize::{Zeroize, Zeroizing};

use crate::{PrivateKey, TronError};

/// Coin type of TRON in SLIP-44.
const COIN: u32 = 195;

/// How long a fresh phrase is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordCount {
    /// 128 bits.
    Twelve,
    /// 256 bits.
    TwentyFour,
}

/// An English BIP39 phrase whose checksum was right. Its memory is wiped on drop.
pub struct Mnemonic(Zeroizing<String>);

impl Mnemonic {
    /// Checks a phrase. It is normalised (NFKD) and its blanks are made single; words are not corrected.
    ///
    /// # Errors
    /// [`TronError::InvalidMnemonic`].
    pub fn parse(phrase: &str) -> Result<Self, TronError> {
        let parsed =
            bip39::Mnemonic::parse_in(bip39::Language::English, phrase).map_err(|_| TronError::InvalidMnemonic)?;
        Ok(Self(Zeroizing::new(parsed.to_string())))
    }

    /// A fresh phrase from the operating system's randomness.
    ///
    /// # Errors
    /// [`TronError::Randomness`] if there is none.
    pub fn generate(words: WordCount) -> Result<Self, TronError> {
        let bytes = match words {
            WordCount::Twelve => 16,
            WordCount::TwentyFour => 32,
        };
        let mut entropy = Zeroizing::new([0_u8; 32]);
        let entropy = &mut entropy[..bytes];
        getrandom::fill(entropy).map_err(|error| TronError::Randomness(error.to_string()))?;
        let made = bip39::Mnemonic::from_entropy_in(bip39::Language::English, entropy)
            .map_err(|_| TronError::InvalidMnemonic)?;
        Ok(Self(Zeroizing::new(made.to_string())))
    }

    /// The words, single blanks between. For sealing them away or showing them once to their owner.
    #[must_use]
    pub fn expose_phrase(&self) -> &str {
        &self.0
    }

    /// The BIP39 seed under a passphrase (normalised NFKD; empty for none).
    ///
    /// # Errors
    /// [`TronError::InvalidMnemonic`] never happens for a phrase that was checked.
    pub fn seed(&self, passphrase: &str) -> Result<Zeroizing<[u8; 64]>, TronError> {
        let parsed = bip39::Mnemonic::parse_in_normalized(bip39::Language::English, &self.0)
            .map_err(|_| TronError::InvalidMnemonic)?;
        Ok(Zeroizing::new(parsed.to_seed(passphrase)))
    }

    /// The key at `m/44'/195'/0'/0/index`.
    ///
    /// # Errors
    /// [`TronError::Derivation`] for an index of 2^31 or more, or (chance 2^-127) a number that BIP32 excludes.
    pub fn private_key(&self, passphrase: &str, index: u32) -> Result<PrivateKey, TronError> {
        let seed = self.seed(passphrase)?;
        let path = [(44, true), (COIN, true), (0, true), (0, false), (index, false)];
        let key = path
            .into_iter()
            .fold(XPrv::new(seed.as_slice()), |key, (number, hardened)| {
                key?.derive_child(ChildNumber::new(number, hardened)?)
            })
            .map_err(|_| TronError::Derivation(index))?;
        let mut bytes = key.to_bytes();
        let made = PrivateKey::from_bytes(&bytes);
        bytes.zeroize();
        made
    }
}

impl fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mnemonic([redacted])")
    }
}
