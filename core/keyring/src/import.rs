//! The opening half of an import: the workers' import key, and from sealed bytes to a private key.

use std::fmt;
use std::str::FromStr;

use hpke::aead::AeadTag;
use hpke::inout::InOutBuf;
use hpke::{Deserializable, Kem as _, OpModeR, Serializable, single_shot_open_inout_detached};
use kernel::WalletId;
use tron::{Mnemonic, PrivateKey};
use vault::suite::{Aead, INFO, Kdf, Kem, WEBHOOK_INFO, associated_data};
use vault::{ImportPublicKey, ImportSecret, SealedImport};
use zeroize::Zeroizing;

use crate::error::KeyringError;
use crate::random;

type HpkePrivateKey = <Kem as hpke::Kem>::PrivateKey;
type EncappedKey = <Kem as hpke::Kem>::EncappedKey;

/// The X25519 secret that opens imports. Its text form is 64 hex digits; zeroized when dropped, by `x25519-dalek`.
pub struct ImportPrivateKey(HpkePrivateKey);

impl ImportPrivateKey {
    /// The half that the API is configured with.
    ///
    /// # Errors
    /// [`KeyringError::Sealed`] never happens: the public key of an X25519 secret is not of low order.
    pub fn public_key(&self) -> Result<ImportPublicKey, KeyringError> {
        let public: [u8; 32] = Kem::sk_to_pk(&self.0).to_bytes().into();
        ImportPublicKey::from_bytes(&public).map_err(KeyringError::Sealed)
    }

    /// The 64 hex digits, for writing a fresh key to where the worker will read it.
    #[must_use]
    pub fn expose_hex(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        self.0.write_exact(bytes.as_mut_slice());
        Zeroizing::new(hex::encode(bytes.as_slice()))
    }

    fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyringError> {
        HpkePrivateKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| KeyringError::Malformed("import private key"))
    }
}

impl FromStr for ImportPrivateKey {
    type Err = KeyringError;

    /// Reads 64 hex digits; white space around them, as a file has it, is ignored.
    fn from_str(text: &str) -> Result<Self, KeyringError> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        hex::decode_to_slice(text.trim_ascii(), bytes.as_mut_slice())
            .map_err(|_| KeyringError::Malformed("import private key: expected 64 hex digits"))?;
        Self::from_bytes(&bytes)
    }
}

impl fmt::Debug for ImportPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImportPrivateKey(redacted)")
    }
}

/// Makes a fresh import key: the secret for the workers, the public key for the API.
///
/// # Errors
/// [`KeyringError::NoRandomness`].
pub fn generate_import_keypair() -> Result<(ImportPrivateKey, ImportPublicKey), KeyringError> {
    let secret = ImportPrivateKey::from_bytes(&*random::key()?)?;
    let public = secret.public_key()?;
    Ok((secret, public))
}

/// Opens what the API sealed for `wallet_id`.
///
/// # Errors
/// [`KeyringError::Sealed`] when the bytes are not a sealed import of a known version;
/// [`KeyringError::ImportRefused`] when they were sealed to another key, for another wallet, or altered;
/// [`KeyringError::Secret`] when what was sealed is not a secret's encoding.
pub fn open_import(key: &ImportPrivateKey, wallet_id: WalletId, sealed: &[u8]) -> Result<ImportSecret, KeyringError> {
    let buffer = open_sealed(key, INFO, &associated_data(wallet_id), sealed)?;
    ImportSecret::decode(buffer).map_err(KeyringError::Secret)
}

/// Opens the webhook secret that the API sealed for the row `secret_id`.
///
/// # Errors
/// [`KeyringError::Sealed`] and [`KeyringError::ImportRefused`] as [`open_import`].
pub fn open_webhook_secret(
    key: &ImportPrivateKey,
    secret_id: &[u8; 16],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    open_sealed(key, WEBHOOK_INFO, secret_id, sealed)
}

fn open_sealed(
    key: &ImportPrivateKey,
    info: &[u8],
    bound_to: &[u8; 16],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    let sealed = SealedImport::from_bytes(sealed).map_err(KeyringError::Sealed)?;
    let refused = |_| KeyringError::ImportRefused;
    let mut buffer = Zeroizing::new(sealed.ciphertext().to_vec());
    single_shot_open_inout_detached::<Aead, Kdf, Kem>(
        &OpModeR::Base,
        &key.0,
        &EncappedKey::from_bytes(sealed.encapsulated_key()).map_err(refused)?,
        info,
        InOutBuf::from(buffer.as_mut_slice()),
        bound_to,
        &AeadTag::from_bytes(sealed.tag()).map_err(refused)?,
    )
    .map_err(refused)?;
    Ok(buffer)
}

/// The private key that a secret stands for. The secret is zeroized, whatever the outcome.
///
/// # Errors
/// [`KeyringError::Key`] when the bytes are no key of the curve or the words no mnemonic.
pub fn resolve(secret: ImportSecret) -> Result<PrivateKey, KeyringError> {
    match secret {
        ImportSecret::PrivateKey(bytes) => PrivateKey::from_bytes(bytes.as_slice()),
        ImportSecret::Mnemonic(words) => {
            Mnemonic::parse(words.phrase()).and_then(|mnemonic| mnemonic.private_key(words.passphrase(), words.index()))
        }
    }
    .map_err(KeyringError::Key)
}

#[cfg(test)]
mod tests;
