//! The two hashes of TRON.

use sha2::{Digest, Sha256};
use sha3::Keccak256;

/// Keccak-256 with the original padding (not SHA3-256): addresses, selectors, log topics.
#[must_use]
pub fn keccak256(data: &[u8]) -> [u8; 32] {
    Keccak256::digest(data).into()
}

/// SHA-256: transaction ids and base58 checksums.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}
