//! A private key at rest: encrypted under a data key of its own, which is encrypted under the master key.
//!
//! Nothing is written or read here; the bytes go to and come from table `wallet_keys`.

use std::fmt;

use chain::TronAddress;
use kernel::WalletId;
use tron::PrivateKey;
use zeroize::Zeroizing;

use crate::error::KeyringError;
use crate::master::MasterKey;
use crate::{aead, random};

const KEY_LABEL: &[u8] = b"switchyard/key/v1";
const DATA_KEY_LABEL: &[u8] = b"switchyard/data-key/v1";

/// Whose key it is, and which. All of it is bound into the ciphertexts: the wallet's id and address, and the key's own
/// address where that is another. So neither another wallet's key nor an account that was put into the row passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyOwner {
    /// The wallet's id.
    pub wallet_id: WalletId,
    /// The account that is signed for.
    pub address: TronAddress,
    /// The address that the key must be of: the account's own, or one that a permission of the account names.
    pub key_address: TronAddress,
}

impl KeyOwner {
    /// The owner of an account that signs with its own key.
    #[must_use]
    pub const fn of_account(wallet_id: WalletId, address: TronAddress) -> Self {
        Self {
            wallet_id,
            address,
            key_address: address,
        }
    }

    fn key_binding(&self) -> Vec<u8> {
        self.bound(KEY_LABEL, &[])
    }

    fn data_key_binding(&self, master_key_id: i32) -> Vec<u8> {
        self.bound(DATA_KEY_LABEL, &master_key_id.to_be_bytes())
    }

    /// Every part but the key's address is always there and has one length: two owners are never bound by the same bytes.
    fn bound(&self, label: &[u8], number: &[u8]) -> Vec<u8> {
        let key: &[u8] = if self.key_address == self.address {
            &[]
        } else {
            self.key_address.as_bytes()
        };
        [label, self.wallet_id.0.as_bytes(), self.address.as_bytes(), key, number].concat()
    }
}

/// A private key in the form in which it is stored. Holds nothing in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// The number of the master key that the data key is wrapped by.
    pub master_key_id: i32,
    /// Nonce, encrypted data key and tag: 60 bytes.
    pub wrapped_data_key: Vec<u8>,
    /// Nonce, encrypted private key and tag: 60 bytes.
    pub ciphertext: Vec<u8>,
}

impl WrappedKey {
    /// Wraps `key` for its owner under a fresh data key.
    ///
    /// # Errors
    /// [`KeyringError::AddressMismatch`] when `key` is not of the owner's key address;
    /// [`KeyringError::NoRandomness`].
    pub fn wrap(master: &MasterKey, owner: &KeyOwner, key: &PrivateKey) -> Result<Self, KeyringError> {
        if key.address() != owner.key_address {
            return Err(KeyringError::AddressMismatch);
        }
        let data_key = random::key()?;
        Ok(Self {
            master_key_id: master.id(),
            wrapped_data_key: wrap_data_key(master, owner, &data_key)?,
            ciphertext: aead::seal(&data_key, &owner.key_binding(), key.expose_bytes().as_slice())?,
        })
    }

    /// Opens the key for its owner.
    ///
    /// # Errors
    /// [`KeyringError::WrongMasterKey`] when it is wrapped by another master key's number;
    /// [`KeyringError::Tampered`] when a byte was altered or it belongs to another owner (or when the master key has
    /// this number and another value, which [`MasterKey::verify`] tells beforehand);
    /// [`KeyringError::AddressMismatch`] when the key is not of the owner's key address;
    /// [`KeyringError::Malformed`] for other lengths.
    pub fn open(&self, master: &MasterKey, owner: &KeyOwner) -> Result<PrivateKey, KeyringError> {
        let data_key = self.open_data_key(master, owner)?;
        let bytes = aead::open::<32>(&data_key, &owner.key_binding(), &self.ciphertext)?;
        let key =
            PrivateKey::from_bytes(bytes.as_slice()).map_err(|_| KeyringError::Malformed("private key at rest"))?;
        if key.address() == owner.key_address {
            Ok(key)
        } else {
            Err(KeyringError::AddressMismatch)
        }
    }

    /// The same key wrapped by the master key `new`. The private key stays encrypted throughout: only its data key is
    /// opened and wrapped anew.
    ///
    /// # Errors
    /// As [`WrappedKey::open`], for the master key `old`; [`KeyringError::NoRandomness`].
    pub fn rewrap(&self, old: &MasterKey, new: &MasterKey, owner: &KeyOwner) -> Result<Self, KeyringError> {
        let data_key = self.open_data_key(old, owner)?;
        Ok(Self {
            master_key_id: new.id(),
            wrapped_data_key: wrap_data_key(new, owner, &data_key)?,
            ciphertext: self.ciphertext.clone(),
        })
    }

    fn open_data_key(&self, master: &MasterKey, owner: &KeyOwner) -> Result<Zeroizing<[u8; 32]>, KeyringError> {
        if self.master_key_id != master.id() {
            return Err(KeyringError::WrongMasterKey);
        }
        aead::open::<32>(
            master.bytes(),
            &owner.data_key_binding(master.id()),
            &self.wrapped_data_key,
        )
    }
}

fn wrap_data_key(master: &MasterKey, owner: &KeyOwner, data_key: &[u8; 32]) -> Result<Vec<u8>, KeyringError> {
    aead::seal(master.bytes(), &owner.data_key_binding(master.id()), data_key)
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey(under master key {}, redacted)", self.master_key_id)
    }
}

#[cfg(test)]
mod tests;
