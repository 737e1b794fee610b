//! AES-256-GCM with a random 96-bit nonce in front. Knows nothing of what it encrypts.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::{Zeroize, Zeroizing};

use crate::error::KeyringError;
use crate::random;

/// How much longer a ciphertext is than its plaintext: nonce and tag.
pub(crate) const OVERHEAD: usize = NONCE_LEN + 16;

/// `nonce ‖ ciphertext ‖ tag` of `plaintext`.
pub(crate) fn seal(key: &[u8; 32], associated_data: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, KeyringError> {
    let nonce = random::bytes::<NONCE_LEN>()?;
    let mut out = Vec::with_capacity(OVERHEAD + plaintext.len());
    out.extend_from_slice(&nonce);
    out.extend_from_slice(plaintext);
    let sealed = cipher(key).and_then(|cipher| {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let associated_data = Aad::from(associated_data);
        cipher
            .seal_in_place_separate_tag(nonce, associated_data, &mut out[NONCE_LEN..])
            .map_err(|_| KeyringError::Cipher)
    });
    match sealed {
        Ok(tag) => out.extend_from_slice(tag.as_ref()),
        Err(error) => {
            out.zeroize();
            return Err(error);
        }
    }
    Ok(out)
}

/// The plaintext of exactly `N` bytes, or [`KeyringError::Tampered`] when key, associated data or bytes are others
/// than those of the sealing.
pub(crate) fn open<const N: usize>(
    key: &[u8; 32],
    associated_data: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<[u8; N]>, KeyringError> {
    let (nonce, body) = sealed
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(KeyringError::Malformed("ciphertext length"))?;
    if sealed.len() != OVERHEAD + N {
        return Err(KeyringError::Malformed("ciphertext length"));
    }
    let mut body = Zeroizing::new(body.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = cipher(key)?
        .open_in_place(nonce, Aad::from(associated_data), &mut body)
        .map_err(|_| KeyringError::Tampered)?;
    let mut out = Zeroizing::new([0_u8; N]);
    out.copy_from_slice(plain);
    Ok(out)
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, KeyringError> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_| KeyringError::Cipher)
}
