//! An account's private key (BIP44, `m/44'/195'/0'`): the keys of all addresses that customers are given derive from it.
//! Whoever has it has them all. It is wiped when dropped and never shown.

use std::fmt;

use bip32::{ChildNumber, ExtendedKey, ExtendedKeyAttrs, Prefix, XPrv};
use zeroize::{Zeroize, Zeroizing};

use crate::{Mnemonic, PrivateKey, TronError};

/// Coin type of TRON in SLIP-44.
const COIN: u32 = 195;
/// How deep an account is: purpose, coin, account.
const DEPTH: u8 = 3;

/// The private key of an account with what derivation needs beside it.
pub struct AccountPrivateKey(XPrv);

impl AccountPrivateKey {
    /// Bytes of an account at rest: key, chain code, and the fingerprint of what it was derived from.
    pub const LEN: usize = 68;

    /// The account of a phrase.
    ///
    /// # Errors
    /// [`TronError::Derivation`] with a chance of 2^-127.
    pub fn from_mnemonic(mnemonic: &Mnemonic, passphrase: &str) -> Result<Self, TronError> {
        let seed = mnemonic.seed(passphrase)?;
        let path = [44, COIN, 0];
        path.into_iter()
            .try_fold(
                XPrv::new(seed.as_slice()).map_err(|_| TronError::Derivation(0))?,
                |key, number| {
                    let number = ChildNumber::new(number, true).map_err(|_| TronError::Derivation(0))?;
                    key.derive_child(number).map_err(|_| TronError::Derivation(0))
                },
            )
            .map(Self)
    }

    /// The account as it was at rest.
    ///
    /// # Errors
    /// [`TronError::InvalidKey`] when the bytes begin with no key of the curve.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, TronError> {
        let mut key_bytes = [0_u8; 33];
        key_bytes[1..].copy_from_slice(&bytes[..32]);
        let (mut chain_code, mut parent_fingerprint) = ([0; 32], [0; 4]);
        chain_code.copy_from_slice(&bytes[32..64]);
        parent_fingerprint.copy_from_slice(&bytes[64..]);
        let attrs = ExtendedKeyAttrs {
            depth: DEPTH,
            parent_fingerprint,
            child_number: ChildNumber::new(0, true).map_err(|_| TronError::InvalidKey)?,
            chain_code,
        };
        let key = ExtendedKey {
            prefix: Prefix::XPRV,
            attrs,
            key_bytes,
        };
        key_bytes.zeroize();
        XPrv::try_from(key).map(Self).map_err(|_| TronError::InvalidKey)
    }

    /// The bytes, for sealing them away.
    #[must_use]
    pub fn expose_bytes(&self) -> Zeroizing<[u8; Self::LEN]> {
        let mut bytes = Zeroizing::new([0_u8; Self::LEN]);
        let mut key = self.0.to_bytes();
        bytes[..32].copy_from_slice(&key);
        key.zeroize();
        bytes[32..64].copy_from_slice(&self.0.attrs().chain_code);
        bytes[64..].copy_from_slice(&self.0.attrs().parent_fingerprint);
        bytes
    }

    /// Names the account: 8 hex digits, the same that other wallets show of it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(self.0.public_key().fingerprint())
    }

    /// The extended public key, from which addresses are derived and nothing is signed.
    #[must_use]
    pub fn xpub(&self) -> String {
        self.0.public_key().to_string(Prefix::XPUB)
    }

    /// The key of the customer at this place: `m/44'/195'/0'/0/place`.
    ///
    /// # Errors
    /// [`TronError::Derivation`] for a place of 2^31 or more, or (chance 2^-127) a number that BIP32 excludes.
    pub fn child(&self, place: u32) -> Result<PrivateKey, TronError> {
        let step = |key: &XPrv, number| {
            let number = ChildNumber::new(number, false).map_err(|_| TronError::Derivation(place))?;
            key.derive_child(number).map_err(|_| TronError::Derivation(place))
        };
        let child = step(&step(&self.0, 0)?, place)?;
        let mut bytes = child.to_bytes();
        let key = PrivateKey::from_bytes(&bytes);
        bytes.zeroize();
        key
    }
}

impl fmt::Debug for AccountPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountPrivateKey({}, redacted)", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The phrase that everybody tests with, and what other wallets make of it.
    const PHRASE: &str =
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    const XPUB: &str = "xpub6D1AabNHCupeiLM65ZR9UStMhJ1vCpyV4XbZdyhMZBiJXALQtmn9p42VTQckoHVn8WNqS7dqnJokZHAHcHGoaQgmv8D45oNUKx6DZMNZBCd";
    const FIRST: &str = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH";

    fn account() -> AccountPrivateKey {
        AccountPrivateKey::from_mnemonic(&Mnemonic::parse(PHRASE).unwrap(), "").unwrap()
    }

    #[test]
    fn the_account_is_the_one_that_other_wallets_make() {
        let account = account();
        assert_eq!(account.xpub(), XPUB);
        assert_eq!(account.child(0).unwrap().address().to_string(), FIRST);
        for place in [0, 1, 7, 2_147_483_647] {
            let by_path = Mnemonic::parse(PHRASE).unwrap().private_key("", place).unwrap();
            assert_eq!(account.child(place).unwrap().address(), by_path.address());
        }
        assert!(matches!(
            account.child(1 << 31),
            Err(TronError::Derivation(place)) if place == 1 << 31
        ));
    }

    #[test]
    fn it_comes_back_from_its_bytes_and_is_not_shown() {
        let account = account();
        let again = AccountPrivateKey::from_bytes(&account.expose_bytes()).unwrap();
        assert_eq!(again.xpub(), XPUB);
        assert_eq!(again.child(3).unwrap().address(), account.child(3).unwrap().address());
        assert!(AccountPrivateKey::from_bytes(&[0; AccountPrivateKey::LEN]).is_err());
        let shown = format!("{account:?}");
        assert!(shown.contains(&account.fingerprint()) && shown.contains("redacted"));
        assert!(!shown.contains(&hex::encode(account.expose_bytes().as_slice())[..16]));
    }
}
