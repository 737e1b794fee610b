//! Private keys and signatures. A key is wiped when dropped and is never shown by `Debug`, logged or serialised.

use std::fmt;

use chain::TronAddress;
use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::{TronError, keccak256};

/// A secp256k1 private key. Its memory is wiped on drop.
#[derive(Clone)]
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// The key of 64 hex digits, no `0x`.
    ///
    /// # Errors
    /// [`TronError::InvalidKey`].
    pub fn from_hex(text: &str) -> Result<Self, TronError> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        hex::decode_to_slice(text, bytes.as_mut_slice()).map_err(|_| TronError::InvalidKey)?;
        Self::from_bytes(bytes.as_slice())
    }

    /// The key of 32 bytes.
    ///
    /// # Errors
    /// [`TronError::InvalidKey`] for another length, zero, or a number not below the curve's order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TronError> {
        if bytes.len() != 32 {
            return Err(TronError::InvalidKey);
        }
        SigningKey::from_slice(bytes)
            .map(Self)
            .map_err(|_| TronError::InvalidKey)
    }

    /// A fresh key from the operating system's randomness.
    ///
    /// # Errors
    /// [`TronError::Randomness`] if there is none; [`TronError::InvalidKey`] with a chance of 2^-128.
    pub fn generate() -> Result<Self, TronError> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|error| TronError::Randomness(error.to_string()))?;
        Self::from_bytes(bytes.as_slice())
    }

    /// The address that this key controls by default.
    #[must_use]
    pub fn address(&self) -> TronAddress {
        address_of(self.0.verifying_key())
    }

    /// Signs a hash: RFC 6979, `r ‖ s ‖ v` with `v` = 27 or 28, low `s`.
    ///
    /// Nodes take 0/1 as well as 27/28. We write 27/28 as the reference JavaScript client does, so that one transaction has one
    /// form everywhere; the signature is not part of the id either way.
    #[must_use]
    pub fn sign(&self, hash: &[u8; 32]) -> [u8; 65] {
        let (signature, recovery) = self.0.sign_prehash_recoverable(hash);
        let mut out = [0_u8; 65];
        out[..64].copy_from_slice(&signature.to_bytes());
        out[64] = 27 + recovery.to_byte();
        out
    }

    /// The 32 bytes, for sealing them away. The copy wipes itself; make no other.
    #[must_use]
    pub fn expose_bytes(&self) -> Zeroizing<[u8; 32]> {
        let mut field = self.0.to_bytes();
        let mut bytes = Zeroizing::new([0_u8; 32]);
        bytes.copy_from_slice(&field);
        zeroize::Zeroize::zeroize(field.as_mut_slice());
        bytes
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey([redacted] of {})", self.address())
    }
}

/// The address whose key made `signature` over `hash`; `v` may be 0, 1, 27 or 28.
///
/// # Errors
/// [`TronError::InvalidSignature`] for another length or `v`, or numbers that no key fits.
pub fn recover_address(hash: &[u8; 32], signature: &[u8]) -> Result<TronAddress, TronError> {
    let [numbers @ .., v] = signature else {
        return Err(TronError::InvalidSignature);
    };
    let recovery = match v {
        0 | 27 => RecoveryId::new(false, false),
        1 | 28 => RecoveryId::new(true, false),
        _ => return Err(TronError::InvalidSignature),
    };
    let signature = Signature::from_slice(numbers).map_err(|_| TronError::InvalidSignature)?;
    VerifyingKey::recover_from_prehash(hash, &signature, recovery)
        .map(|key| address_of(&key))
        .map_err(|_| TronError::InvalidSignature)
}

/// The last 20 bytes of the hash of the uncompressed point, behind the address prefix.
fn address_of(key: &VerifyingKey) -> TronAddress {
    let point = key.to_sec1_point(false);
    let hash = keccak256(&point.as_bytes()[1..]);
    let mut last = [0_u8; 20];
    last.copy_from_slice(&hash[12..]);
    TronAddress::from_evm20(last)
}
