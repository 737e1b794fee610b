//! Addresses of customers out of an account's extended public key (BIP32, BIP44): m/44'/195'/0' is the account, and the
//! customer at place `i` has m/44'/195'/0'/0/i. Pure, and unable to sign: it never sees a private key, so that the API may
//! link it.

use std::fmt;
use std::str::FromStr;

use bip32::{ChildNumber, ExtendedPublicKey, Prefix};
use k256::ecdsa::VerifyingKey;
use sha3::{Digest, Keccak256};

/// Version byte of every TRON address.
const TRON: u8 = 0x41;
/// The chain of addresses that are given out; the other one (1) is for change, which account-based chains have not.
const EXTERNAL: u32 = 0;
/// How deep an account is: purpose, coin, account.
const ACCOUNT_DEPTH: u8 = 3;

/// An account's extended public key. Printing shows its fingerprint alone: who has the key knows all addresses.
#[derive(Clone)]
pub struct AccountKey {
    external: ExtendedPublicKey<VerifyingKey>,
    fingerprint: [u8; 4],
}

/// Why there is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HdError {
    /// No extended public key, or not one of an account.
    #[error("not the extended public key of an account (xpub of m/44'/195'/0')")]
    NotAnAccount,
    /// A place beyond what one account has.
    #[error("no address at this place")]
    NoSuchPlace,
}

impl FromStr for AccountKey {
    type Err = HdError;

    fn from_str(text: &str) -> Result<Self, HdError> {
        let key: bip32::ExtendedKey = text.parse().map_err(|_| HdError::NotAnAccount)?;
        if key.prefix != Prefix::XPUB {
            return Err(HdError::NotAnAccount);
        }
        let account: ExtendedPublicKey<VerifyingKey> = key.try_into().map_err(|_| HdError::NotAnAccount)?;
        if account.attrs().depth != ACCOUNT_DEPTH {
            return Err(HdError::NotAnAccount);
        }
        let fingerprint = account.fingerprint();
        let external = child(&account, EXTERNAL)?;
        Ok(Self { external, fingerprint })
    }
}

impl AccountKey {
    /// Names the account: 8 hex digits, the same that other wallets show of it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(self.fingerprint)
    }

    /// The address of the customer at this place, as TRON writes it.
    ///
    /// # Errors
    /// [`HdError::NoSuchPlace`] for a place from 2^31 on, or the one in 2^127 that has no key: draw another.
    pub fn tron_address(&self, place: u32) -> Result<String, HdError> {
        let key = child(&self.external, place).map_err(|_| HdError::NoSuchPlace)?;
        let point = key.public_key().to_sec1_point(false);
        let hash = Keccak256::digest(&point.as_bytes()[1..]);
        let mut address = [TRON; 21];
        address[1..].copy_from_slice(&hash[12..]);
        Ok(bs58::encode(address).with_check().into_string())
    }
}

fn child(key: &ExtendedPublicKey<VerifyingKey>, place: u32) -> Result<ExtendedPublicKey<VerifyingKey>, HdError> {
    let number = ChildNumber::new(place, false).map_err(|_| HdError::NoSuchPlace)?;
    key.derive_child(number).map_err(|_| HdError::NoSuchPlace)
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountKey({})", self.fingerprint())
    }
}
