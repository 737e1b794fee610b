//! The private key of an account at rest: as a wallet's key is, bound to the account's fingerprint.

use std::fmt;

use chain::TronAddress;
use tron::{AccountPrivateKey, PrivateKey};
use zeroize::Zeroizing;

use crate::error::KeyringError;
use crate::master::MasterKey;
use crate::{aead, random};

const ACCOUNT_LABEL: &[u8] = b"switchyard/account-key/v1";
const DATA_KEY_LABEL: &[u8] = b"switchyard/account-data-key/v1";

/// An account in the form in which it is stored. Holds nothing in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedAccount {
    /// Names the account.
    pub fingerprint: String,
    /// The number of the master key that the data key is wrapped by.
    pub master_key_id: i32,
    /// Nonce, encrypted data key and tag: 60 bytes.
    pub wrapped_data_key: Vec<u8>,
    /// Nonce, encrypted account and tag: 96 bytes.
    pub ciphertext: Vec<u8>,
}

impl WrappedAccount {
    /// Wraps an account under a fresh data key.
    ///
    /// # Errors
    /// [`KeyringError::NoRandomness`].
    pub fn wrap(master: &MasterKey, account: &AccountPrivateKey) -> Result<Self, KeyringError> {
        let data_key = random::key()?;
        let fingerprint = account.fingerprint();
        Ok(Self {
            master_key_id: master.id(),
            wrapped_data_key: aead::seal(
                master.bytes(),
                &data_key_binding(&fingerprint, master.id()),
                &data_key[..],
            )?,
            ciphertext: aead::seal(&data_key, &binding(&fingerprint), account.expose_bytes().as_slice())?,
            fingerprint,
        })
    }

    /// Opens the account.
    ///
    /// # Errors
    /// [`KeyringError::WrongMasterKey`] when it is wrapped by another master key's number; [`KeyringError::Tampered`] when a
    /// byte was altered or it belongs to another account; [`KeyringError::Malformed`] for other lengths.
    pub fn open(&self, master: &MasterKey) -> Result<AccountPrivateKey, KeyringError> {
        let data_key = self.open_data_key(master)?;
        let bytes = aead::open::<{ AccountPrivateKey::LEN }>(&data_key, &binding(&self.fingerprint), &self.ciphertext)?;
        let account =
            AccountPrivateKey::from_bytes(&bytes).map_err(|_| KeyringError::Malformed("account key at rest"))?;
        if account.fingerprint() == self.fingerprint {
            Ok(account)
        } else {
            Err(KeyringError::Tampered)
        }
    }

    /// Opens the account for one signature: the key at a place, which must be that of the address.
    ///
    /// # Errors
    /// As [`WrappedAccount::open`]; [`KeyringError::Key`] for a place that has no key; [`KeyringError::AddressMismatch`] when
    /// the key is another address's.
    pub fn open_child(
        &self,
        master: &MasterKey,
        (place, address): (u32, TronAddress),
    ) -> Result<PrivateKey, KeyringError> {
        let key = self.open(master)?.child(place).map_err(KeyringError::Key)?;
        if key.address() == address {
            Ok(key)
        } else {
            Err(KeyringError::AddressMismatch)
        }
    }

    /// The same account wrapped by the master key `new`; it stays encrypted throughout.
    ///
    /// # Errors
    /// As [`WrappedAccount::open`], for the master key `old`; [`KeyringError::NoRandomness`].
    pub fn rewrap(&self, old: &MasterKey, new: &MasterKey) -> Result<Self, KeyringError> {
        let data_key = self.open_data_key(old)?;
        let bound = data_key_binding(&self.fingerprint, new.id());
        Ok(Self {
            master_key_id: new.id(),
            wrapped_data_key: aead::seal(new.bytes(), &bound, &data_key[..])?,
            ..self.clone()
        })
    }

    fn open_data_key(&self, master: &MasterKey) -> Result<Zeroizing<[u8; 32]>, KeyringError> {
        if self.master_key_id != master.id() {
            return Err(KeyringError::WrongMasterKey);
        }
        let bound = data_key_binding(&self.fingerprint, master.id());
        aead::open::<32>(master.bytes(), &bound, &self.wrapped_data_key)
    }
}

fn binding(fingerprint: &str) -> Vec<u8> {
    [ACCOUNT_LABEL, fingerprint.as_bytes()].concat()
}

fn data_key_binding(fingerprint: &str, master_key_id: i32) -> Vec<u8> {
    [DATA_KEY_LABEL, fingerprint.as_bytes(), &master_key_id.to_be_bytes()].concat()
}

impl fmt::Debug for WrappedAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "WrappedAccount({}, under master key {}, redacted)",
            self.fingerprint, self.master_key_id
        )
    }
}

#[cfg(test)]
mod tests {
    use tron::Mnemonic;
    use zeroize::Zeroizing;

    use super::*;
    use crate::{Derivation, MasterKeySource};

    const PHRASE: &str =
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

    fn master(id: i32, digit: &str) -> MasterKey {
        let source = MasterKeySource::Raw(Zeroizing::new(digit.repeat(64)));
        MasterKey::new(id, &source, &Derivation::Raw).unwrap()
    }

    fn account() -> AccountPrivateKey {
        AccountPrivateKey::from_mnemonic(&Mnemonic::parse(PHRASE).unwrap(), "").unwrap()
    }

    #[test]
    fn a_child_signs_for_its_own_address_alone() {
        let (master, account) = (master(1, "1"), account());
        let wrapped = WrappedAccount::wrap(&master, &account).unwrap();
        let [first, second] = [0, 1].map(|place| account.child(place).unwrap().address());
        assert_eq!(wrapped.open_child(&master, (0, first)).unwrap().address(), first);
        assert!(matches!(
            wrapped.open_child(&master, (0, second)),
            Err(KeyringError::AddressMismatch)
        ));
    }

    #[test]
    fn it_is_bound_to_its_account_and_to_its_master_key() {
        let (one, two) = (master(1, "1"), master(2, "2"));
        let wrapped = WrappedAccount::wrap(&one, &account()).unwrap();
        assert!(matches!(wrapped.open(&two), Err(KeyringError::WrongMasterKey)));
        let renamed = WrappedAccount {
            fingerprint: "00000000".to_owned(),
            ..wrapped.clone()
        };
        assert!(matches!(renamed.open(&one), Err(KeyringError::Tampered)));
        let mut altered = wrapped.clone();
        altered.ciphertext[20] ^= 1;
        assert!(matches!(altered.open(&one), Err(KeyringError::Tampered)));
        let anew = wrapped.rewrap(&one, &two).unwrap();
        assert_eq!(anew.ciphertext, wrapped.ciphertext);
        assert_eq!(anew.open(&two).unwrap().xpub(), account().xpub());
        assert!(matches!(anew.open(&one), Err(KeyringError::WrongMasterKey)));
    }
}
