//! Randomness for keys, nonces and salts: the operating system's, and nothing else.

use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::error::KeyringError;

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], KeyringError> {
    let mut out = [0_u8; N];
    SystemRandom::new()
        .fill(&mut out)
        .map_err(|_| KeyringError::NoRandomness)?;
    Ok(out)
}

/// 32 random bytes that are a key.
pub(crate) fn key() -> Result<Zeroizing<[u8; 32]>, KeyringError> {
    let mut out = Zeroizing::new([0_u8; 32]);
    SystemRandom::new()
        .fill(out.as_mut_slice())
        .map_err(|_| KeyringError::NoRandomness)?;
    Ok(out)
}
