//! Wallets that are taken in: handed in with a sealed key, or made by a worker itself.

use chain::TronAddress;
use chrono::{DateTime, Utc};
use db::models::{
    DepositAddress, NewSupplierWallet, SupplierWallet, WalletImport, WalletKey, WalletPurpose, WalletState,
};
use db::{Conn, Pool, run_tx, trail};
use jobs::{JobKind, JobRequest, Wake, enqueue_each_in_tx, enqueue_in_tx};
use kernel::{ApiKeyId, WalletId};
use serde_json::json;
use vault::SealedImport;

use crate::DomainError;
use crate::orders::{Idempotency, earlier_in_tx};

/// A wallet on its way in.
#[derive(Debug)]
pub struct NewWallet<'a> {
    /// Its id; the sealed key is bound to it.
    pub id: WalletId,
    /// The account whose energy is lent, where the key is not its own but one that a permission of it names; `None`: it is
    /// known once the key is opened.
    pub address: Option<TronAddress>,
    /// What operators call it.
    pub label: Option<&'a str>,
    /// 0 the owner's key, 2.. an active permission.
    pub permission_id: i32,
    /// What it is for.
    pub purpose: WalletPurpose,
    /// The key, sealed to the workers.
    pub sealed: &'a SealedImport,
}

/// Deposit addresses become wallets by themselves.
const NOT_ADDED: &str = "a wallet is added for supply or for treasury";
const OURS: &str = "this address is a supplier wallet already";
const DEPOSITS: &str = "this address takes deposits";

/// What was taken in.
#[derive(Debug)]
pub struct Added {
    /// The wallets, as they are now.
    pub wallets: Vec<SupplierWallet>,
    /// To be pushed after the commit.
    pub wakes: Vec<Wake>,
    /// Whether the same request was carried out before, so that nothing happened now.
    pub replayed: bool,
}

/// Takes wallets in, once per mark: rows now, keys once a worker has opened them. All or none.
///
/// # Errors
/// A bad label or permission; [`DomainError::AddressNeedsPermission`] and [`DomainError::WalletExists`] for an address that is
/// given; a mark that was used for another request; a database failure.
pub async fn add(
    pool: &Pool,
    mark: (ApiKeyId, &Idempotency),
    wallets: &[NewWallet<'_>],
    now: DateTime<Utc>,
) -> Result<Added, DomainError> {
    for wallet in wallets {
        check_terms(wallet.label, (wallet.address, wallet.permission_id), wallet.purpose)?;
    }
    let ids: Vec<String> = wallets.iter().map(|wallet| wallet.id.to_string()).collect();
    run_tx(pool, "add_supplier_wallets", async |conn| {
        if let Some(earlier) = earlier_in_tx(conn, mark, ("supplier_wallets", ids.join(",")), now).await? {
            return replay(conn, &earlier).await;
        }
        let mut rows = Vec::with_capacity(wallets.len());
        for wallet in wallets {
            rows.push(insert(conn, wallet, now).await?);
        }
        trail::changed(|| json!({ "supplier_wallets": ids, "state": WalletState::Importing }));
        Ok(Added {
            wallets: rows,
            wakes: enqueue_each_in_tx(conn, JobKind::WalletsImport, &ids, now).await?,
            replayed: false,
        })
    })
    .await
}

async fn insert(conn: &mut Conn, wallet: &NewWallet<'_>, now: DateTime<Utc>) -> Result<SupplierWallet, DomainError> {
    let address = wallet.address.map(|address| address.to_string());
    if let Some(address) = &address
        && refused(conn, address).await?.is_some()
    {
        return Err(DomainError::WalletExists);
    }
    let new = NewSupplierWallet {
        id: wallet.id.0,
        address: address.as_deref(),
        label: wallet.label,
        state: WalletState::Importing,
        permission_id: wallet.permission_id,
        purpose: wallet.purpose,
        created_at: now,
        updated_at: now,
    };
    let row = new.insert(conn).await?;
    let import = WalletImport {
        wallet_id: wallet.id.0,
        sealed: wallet.sealed.as_bytes().to_vec(),
        created_at: now,
    };
    import.insert(conn).await?;
    Ok(row)
}

/// What a request took in before.
async fn replay(conn: &mut Conn, earlier: &str) -> Result<Added, DomainError> {
    let broken = || DomainError::Broken(format!("wallets {earlier} of an idempotency key are missing"));
    let mut wallets = Vec::new();
    for id in earlier.split(',') {
        let id: WalletId = id.parse().map_err(|_| broken())?;
        wallets.push(SupplierWallet::find(conn, id.0).await?.ok_or_else(broken)?);
    }
    Ok(Added {
        wallets,
        wakes: Vec::new(),
        replayed: true,
    })
}

fn check_terms(
    label: Option<&str>,
    (address, permission_id): (Option<TronAddress>, i32),
    purpose: WalletPurpose,
) -> Result<(), DomainError> {
    if label.is_some_and(|label| label.chars().count() > 100) {
        return Err(DomainError::BadText("label must have at most 100 characters"));
    }
    check_permission_id(permission_id)?;
    if purpose == WalletPurpose::Deposit {
        return Err(DomainError::BadText(NOT_ADDED));
    }
    if address.is_some() && permission_id == 0 {
        return Err(DomainError::AddressNeedsPermission);
    }
    Ok(())
}

/// # Errors
/// [`DomainError::BadText`] for a number that no key of ours signs by.
pub(super) fn check_permission_id(permission_id: i32) -> Result<(), DomainError> {
    if (0..=9).contains(&permission_id) && permission_id != 1 {
        return Ok(());
    }
    Err(DomainError::BadText(
        "permission_id must be 0 (owner) or 2 to 9 (active)",
    ))
}

/// Why an address cannot become a wallet.
async fn refused(conn: &mut Conn, address: &str) -> Result<Option<&'static str>, DomainError> {
    if SupplierWallet::is_ours(conn, address).await? {
        return Ok(Some(OURS));
    }
    Ok(DepositAddress::is_one(conn, address).await?.then_some(DEPOSITS))
}

/// A key that a worker opened and wrapped for rest.
pub struct Opened {
    /// The account that is signed for: the one that was given, else the key's own.
    pub address: TronAddress,
    /// The key's own address.
    pub key_address: TronAddress,
    /// The key at rest.
    pub key: WalletKey,
}

impl Opened {
    /// The key's address where it is another account's.
    fn of_another(&self) -> Option<String> {
        (self.key_address != self.address).then(|| self.key_address.to_string())
    }
}

/// How an import ended.
pub enum Import {
    /// The key is usable: it is at rest under the workers' master key.
    Opened(Opened),
    /// The key cannot be used.
    Rejected {
        /// Why, without any of its contents.
        reason: String,
    },
}

/// Ends an import: key and address are stored, or the wallet is rejected, and the sealed key is gone either way. A second
/// key of the same address rejects the second wallet.
///
/// # Errors
/// When the key was opened for another account than the wallet's, or the database fails.
pub async fn finish_import(
    pool: &Pool,
    id: WalletId,
    import: &Import,
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    run_tx(pool, "finish_wallet_import", async |conn| {
        let wallet = SupplierWallet::lock(conn, id.0)
            .await?
            .ok_or(DomainError::NotFound("wallet"))?;
        if wallet.state != WalletState::Importing {
            return Ok(None);
        }
        WalletImport::delete(conn, id.0).await?;
        let opened = match import {
            Import::Opened(opened) => opened,
            Import::Rejected { reason } => {
                SupplierWallet::set_rejected(conn, id.0, reason, now).await?;
                return Ok(None);
            }
        };
        let address = opened.address.to_string();
        match &wallet.address {
            Some(given) if *given != address => {
                return Err(DomainError::Broken(format!("a key of {address} for wallet {id}")));
            }
            // it was held against ours when it was given, and the wallet has held it since
            Some(_) => {}
            None => {
                if let Some(reason) = refused(conn, &address).await? {
                    SupplierWallet::set_rejected(conn, id.0, reason, now).await?;
                    return Ok(None);
                }
            }
        }
        take_in(conn, id, opened, now).await
    })
    .await
}

/// The wallet is in use from now on, and read from the chain.
async fn take_in(
    conn: &mut Conn,
    id: WalletId,
    opened: &Opened,
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    let (address, key_address) = (opened.address.to_string(), opened.of_another());
    SupplierWallet::set_imported(conn, id.0, (&address, key_address.as_deref()), now).await?;
    opened.key.insert(conn).await?;
    sync_now_in_tx(conn, id, now).await
}

/// # Errors
/// When the database fails.
pub(super) async fn sync_now_in_tx(
    conn: &mut Conn,
    id: WalletId,
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    let sync = JobRequest {
        kind: JobKind::WalletsSync,
        object_id: &id.to_string(),
        run_at: now,
        now,
    };
    Ok(enqueue_in_tx(conn, sync).await?)
}

/// A wallet that a worker made itself.
pub struct Adopted {
    /// Its id; the key is bound to it.
    pub id: WalletId,
    /// The key, and whose it is.
    pub opened: Opened,
    /// What operators call it.
    pub label: Option<String>,
    /// What the key signs by.
    pub permission_id: i32,
    /// What it is for.
    pub purpose: WalletPurpose,
}

/// Takes in wallets whose keys were made here. All or none.
///
/// # Errors
/// As [`add`]; when the database fails, or refuses a purpose that nobody adds a wallet for.
pub async fn adopt(pool: &Pool, wallets: &[Adopted], now: DateTime<Utc>) -> Result<(), DomainError> {
    for wallet in wallets {
        let another = wallet.opened.of_another().map(|_| wallet.opened.address);
        check_terms(wallet.label.as_deref(), (another, wallet.permission_id), wallet.purpose)?;
    }
    run_tx(pool, "adopt_wallets", async |conn| {
        for wallet in wallets {
            if refused(conn, &wallet.opened.address.to_string()).await?.is_some() {
                return Err(DomainError::WalletExists);
            }
            let new = NewSupplierWallet {
                id: wallet.id.0,
                address: None,
                label: wallet.label.as_deref(),
                state: WalletState::Importing,
                permission_id: wallet.permission_id,
                purpose: wallet.purpose,
                created_at: now,
                updated_at: now,
            };
            new.insert(conn).await?;
            take_in(conn, wallet.id, &wallet.opened, now).await?;
        }
        Ok(())
    })
    .await
}
