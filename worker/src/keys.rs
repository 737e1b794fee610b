//! Keys of supplier wallets and of the accounts that deposit addresses derive from: master keys, imports, and opened keys for a while. Nothing of a key leaves this process.

use std::sync::Arc;

use chain::TronAddress;
use chrono::{DateTime, Utc};
use db::models::{DepositAccountKey, DerivedFrom, MasterKeyRow, SupplierWallet, WalletKey, WebhookSecretRow};
use db::{Conn, Pool, acquire};
use domain::wallets::Opened;
use kernel::WalletId;
use keyring::{
    Derivation, ImportPrivateKey, KeyCache, KeyOwner, KeyringError, MasterKey, MasterKeySource, WrappedAccount,
    WrappedKey, open_import, open_webhook_secret, resolve,
};
use tron::{AccountPrivateKey, PrivateKey};
use webhook::WebhookSecret;

use crate::error::WorkError;
use crate::signer::{address, wallet_address};

/// What opens keys. The first master key is the current one.
pub struct Keys {
    masters: Vec<MasterKey>,
    import: ImportPrivateKey,
    cache: KeyCache,
}

/// A master key as configured: its number and its secret.
pub struct ConfiguredMaster {
    /// Its number.
    pub id: i32,
    /// The key, or the passphrase it is derived from.
    pub source: MasterKeySource,
}

impl Keys {
    /// Keys under these masters, the current one first.
    #[must_use]
    pub const fn new(masters: Vec<MasterKey>, import: ImportPrivateKey, cache: KeyCache) -> Self {
        Self { masters, import, cache }
    }

    /// The master that new keys are wrapped by.
    pub(crate) fn current(&self) -> Result<&MasterKey, WorkError> {
        self.masters
            .first()
            .ok_or_else(|| WorkError::Broken("no master key is configured".into()))
    }

    /// The master with this number.
    pub(crate) fn master(&self, id: i32) -> Result<&MasterKey, KeyringError> {
        self.masters
            .iter()
            .find(|master| master.id() == id)
            .ok_or(KeyringError::WrongMasterKey)
    }

    /// The key of a wallet, opened at most once in a while. The wallet's row is one that the caller has locked: the key is that
    /// of its generation, so that one which was replaced signs nothing more, whichever process still holds it opened.
    pub(crate) async fn signing(&self, conn: &mut Conn, wallet: &SupplierWallet) -> Result<Arc<PrivateKey>, WorkError> {
        let (id, generation) = (WalletId(wallet.id), wallet.key_generation);
        if let Some(key) = self.cache.get(id, generation) {
            return Ok(key);
        }
        let row = WalletKey::find(conn, wallet.id).await?;
        let row = row.ok_or_else(|| WorkError::Broken(format!("wallet {id} has no key")))?;
        let owner = key_owner(wallet)?;
        self.cache
            .get_or_open((id, generation), || {
                self.master(row.master_key_id)
                    .and_then(|master| wrapped(&row).open(master, &owner))
            })
            .map_err(|source| WorkError::Key {
                wallet: wallet.id,
                source,
            })
    }

    /// The key of a deposit address, derived from its account's and checked against the address.
    pub(crate) async fn signing_deposit(
        &self,
        conn: &mut Conn,
        wallet: &SupplierWallet,
    ) -> Result<Arc<PrivateKey>, WorkError> {
        let (id, generation) = (WalletId(wallet.id), wallet.key_generation);
        if let Some(key) = self.cache.get(id, generation) {
            return Ok(key);
        }
        let address = wallet_address(wallet)?;
        let broken = |what: &str| WorkError::Broken(format!("deposit wallet {id} {what}"));
        let from = SupplierWallet::derived_from(conn, wallet.id).await?;
        let Some(DerivedFrom {
            fingerprint: Some(fingerprint),
            index: Some(index),
        }) = from
        else {
            return Err(broken("is derived from no account"));
        };
        let place = u32::try_from(index).map_err(|_| broken("has no place"))?;
        let row = DepositAccountKey::find(conn, &fingerprint).await?;
        let row = row.ok_or_else(|| broken("is of an account whose key is not here"))?;
        self.cache
            .get_or_open((id, generation), || {
                self.master(row.master_key_id)
                    .and_then(|master| wrapped_account(row).open_child(master, (place, address)))
            })
            .map_err(|source| WorkError::Key {
                wallet: wallet.id,
                source,
            })
    }

    /// Wraps an account's key for rest under the current master.
    pub(crate) fn wrap_account(
        &self,
        account: &AccountPrivateKey,
        now: DateTime<Utc>,
    ) -> Result<DepositAccountKey, KeyringError> {
        let master = self.masters.first().ok_or(KeyringError::WrongMasterKey)?;
        let wrapped = WrappedAccount::wrap(master, account)?;
        Ok(DepositAccountKey {
            fingerprint: wrapped.fingerprint,
            master_key_id: wrapped.master_key_id,
            wrapped_data_key: wrapped.wrapped_data_key,
            ciphertext: wrapped.ciphertext,
            created_at: now,
        })
    }

    /// Opens a sealed key and wraps it for rest, for the account that is given or else for its own. An error says why the key
    /// cannot be used, and nothing of it.
    pub(crate) fn take_in(
        &self,
        (wallet, account): (WalletId, Option<TronAddress>),
        sealed: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Opened, KeyringError> {
        let key = resolve(open_import(&self.import, wallet, sealed)?)?;
        self.wrap((wallet, account), &key, now)
    }

    /// Opens what the API sealed to sign an endpoint's messages with.
    pub(crate) fn webhook_secret(&self, row: &WebhookSecretRow) -> Result<WebhookSecret, WorkError> {
        let opened = open_webhook_secret(&self.import, row.id.as_bytes(), &row.sealed);
        let bytes = opened.map_err(|source| WorkError::WebhookSecret { secret: row.id, source })?;
        WebhookSecret::from_bytes(bytes).map_err(|_| WorkError::Broken(format!("webhook secret {} is none", row.id)))
    }

    /// Wraps a key for rest under the current master, for the account that is given or else for its own.
    pub(crate) fn wrap(
        &self,
        (wallet, account): (WalletId, Option<TronAddress>),
        key: &PrivateKey,
        now: DateTime<Utc>,
    ) -> Result<Opened, KeyringError> {
        let master = self.masters.first().ok_or(KeyringError::WrongMasterKey)?;
        let key_address = key.address();
        let owner = KeyOwner {
            wallet_id: wallet,
            address: account.unwrap_or(key_address),
            key_address,
        };
        let wrapped = WrappedKey::wrap(master, &owner, key)?;
        Ok(Opened {
            address: owner.address,
            key_address,
            key: WalletKey {
                wallet_id: wallet.0,
                master_key_id: wrapped.master_key_id,
                wrapped_data_key: wrapped.wrapped_data_key,
                ciphertext: wrapped.ciphertext,
                created_at: now,
            },
        })
    }

    /// Drops opened keys whose time is up, so that unused ones leave memory.
    pub fn forget_expired(&self) {
        self.cache.remove_expired();
    }
}

/// A key at rest as the keyring knows it.
pub(crate) fn wrapped(row: &WalletKey) -> WrappedKey {
    WrappedKey {
        master_key_id: row.master_key_id,
        wrapped_data_key: row.wrapped_data_key.clone(),
        ciphertext: row.ciphertext.clone(),
    }
}

/// Whose key a wallet's is, and which: what it is bound to at rest and checked against whenever it is opened.
pub(crate) fn key_owner(wallet: &SupplierWallet) -> Result<KeyOwner, WorkError> {
    let account = wallet_address(wallet)?;
    Ok(KeyOwner {
        wallet_id: WalletId(wallet.id),
        address: account,
        key_address: match &wallet.key_address {
            Some(key_address) => address(key_address)?,
            None => account,
        },
    })
}

/// An account's key at rest as the keyring knows it.
pub(crate) fn wrapped_account(row: DepositAccountKey) -> WrappedAccount {
    WrappedAccount {
        fingerprint: row.fingerprint,
        master_key_id: row.master_key_id,
        wrapped_data_key: row.wrapped_data_key,
        ciphertext: row.ciphertext,
    }
}

/// Makes a master key as it was made before, or for the first time: derivation and check value are in the database, so
/// that a wrong key is told at the start and not at the first order.
///
/// # Errors
/// A key that does not match its number, or a database failure.
pub async fn unlock_master(pool: &Pool, configured: ConfiguredMaster, now: DateTime<Utc>) -> anyhow::Result<MasterKey> {
    let ConfiguredMaster { id, source } = configured;
    let mut conn = acquire(pool).await?;
    if let Some(row) = MasterKeyRow::find(&mut conn, id).await? {
        let derivation: Derivation = serde_json::from_value(row.derivation)?;
        let key = derive(id, source, derivation).await?;
        key.verify(&row.check_value)?;
        return Ok(key);
    }
    let derivation = match source {
        MasterKeySource::Raw(_) => Derivation::Raw,
        MasterKeySource::Passphrase(_) => Derivation::new_pbkdf2()?,
    };
    let stored = serde_json::to_value(&derivation)?;
    let key = derive(id, clone_source(&source), derivation).await?;
    let row = MasterKeyRow {
        id,
        derivation: stored,
        check_value: key.check_value()?,
        created_at: now,
        retired_at: None,
    };
    if row.insert_if_missing(&mut conn).await? {
        return Ok(key);
    }
    drop(conn);
    // another worker was first: its salt counts
    Box::pin(unlock_master(pool, ConfiguredMaster { id, source }, now)).await
}

fn clone_source(source: &MasterKeySource) -> MasterKeySource {
    match source {
        MasterKeySource::Raw(text) => MasterKeySource::Raw(text.clone()),
        MasterKeySource::Passphrase(text) => MasterKeySource::Passphrase(text.clone()),
    }
}

/// PBKDF2 takes half a second on purpose: not on an async thread.
async fn derive(id: i32, source: MasterKeySource, derivation: Derivation) -> anyhow::Result<MasterKey> {
    Ok(tokio::task::spawn_blocking(move || MasterKey::new(id, &source, &derivation)).await??)
}
