//! Supplier wallets: taken in, synchronised with the chain, switched on and off.

mod reading;
mod shortfall;

use chrono::{DateTime, Duration, Utc};
use db::models::{
    Delegation, NewSupplierWallet, SupplierWallet, WalletImport, WalletKey, WalletPurpose, WalletSnapshotRow,
    WalletState,
};
use db::{Conn, Pool, acquire, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_each_in_tx, enqueue_in_tx, enqueue_many_in_tx};
use kernel::{IdGen, WalletId};
pub use reading::{Reading, apply_snapshot};
use serde_json::json;
use vault::SealedImport;

use crate::DomainError;
use crate::findings::{self, FindingKind};

/// A wallet on its way in.
#[derive(Debug)]
pub struct NewWallet<'a> {
    /// Its id; the sealed key is bound to it.
    pub id: WalletId,
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

/// Takes wallets in: rows now, keys once a worker has opened them. All or none.
///
/// # Errors
/// A bad label or permission, or a database failure.
pub async fn add(
    pool: &Pool,
    wallets: &[NewWallet<'_>],
    now: DateTime<Utc>,
) -> Result<(Vec<SupplierWallet>, Vec<Wake>), DomainError> {
    if wallets
        .iter()
        .any(|wallet| wallet.label.is_some_and(|label| label.chars().count() > 100))
    {
        return Err(DomainError::BadText("label must have at most 100 characters"));
    }
    if wallets
        .iter()
        .any(|wallet| !(0..=9).contains(&wallet.permission_id) || wallet.permission_id == 1)
    {
        return Err(DomainError::BadText(
            "permission_id must be 0 (owner) or 2 to 9 (active)",
        ));
    }
    if wallets.iter().any(|wallet| wallet.purpose == WalletPurpose::Deposit) {
        return Err(DomainError::BadText(NOT_ADDED));
    }
    run_tx(pool, "add_supplier_wallets", async |conn| {
        let mut rows = Vec::with_capacity(wallets.len());
        for wallet in wallets {
            let new = NewSupplierWallet {
                id: wallet.id.0,
                label: wallet.label,
                state: WalletState::Importing,
                permission_id: wallet.permission_id,
                purpose: wallet.purpose,
                created_at: now,
                updated_at: now,
            };
            rows.push(new.insert(conn).await?);
            let sealed = wallet.sealed.as_bytes().to_vec();
            WalletImport {
                wallet_id: wallet.id.0,
                sealed,
                created_at: now,
            }
            .insert(conn)
            .await?;
        }
        let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
        let wakes = enqueue_each_in_tx(conn, JobKind::WalletsImport, &ids, now).await?;
        Ok((rows, wakes))
    })
    .await
}

/// How an import ended.
pub enum Import {
    /// The key is usable: it is at rest under the workers' master key.
    Opened {
        /// Base58.
        address: String,
        /// The key at rest.
        key: WalletKey,
    },
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
/// When the database fails.
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
        let (address, key) = match import {
            Import::Opened { address, key } => (address, key),
            Import::Rejected { reason } => {
                SupplierWallet::set_rejected(conn, id.0, reason, now).await?;
                return Ok(None);
            }
        };
        if SupplierWallet::is_ours(conn, address).await? {
            SupplierWallet::set_rejected(conn, id.0, "this address is a supplier wallet already", now).await?;
            return Ok(None);
        }
        SupplierWallet::set_imported(conn, id.0, address, now).await?;
        key.insert(conn).await?;
        let sync = JobRequest {
            kind: JobKind::WalletsSync,
            object_id: &id.to_string(),
            run_at: now,
            now,
        };
        Ok(enqueue_in_tx(conn, sync).await?)
    })
    .await
}

/// A wallet that a worker made itself.
pub struct Adopted {
    /// Its id; the key is bound to it.
    pub id: WalletId,
    /// Base58.
    pub address: String,
    /// What operators call it.
    pub label: Option<String>,
    /// What it is for.
    pub purpose: WalletPurpose,
    /// The key at rest.
    pub key: WalletKey,
}

/// Takes in wallets whose keys were made here. All or none.
///
/// # Errors
/// When the database fails, or refuses a purpose that nobody adds a wallet for.
pub async fn adopt(pool: &Pool, wallets: &[Adopted], now: DateTime<Utc>) -> Result<(), DomainError> {
    run_tx(pool, "adopt_wallets", async |conn| {
        for wallet in wallets {
            let new = NewSupplierWallet {
                id: wallet.id.0,
                label: wallet.label.as_deref(),
                state: WalletState::Importing,
                permission_id: 0,
                purpose: wallet.purpose,
                created_at: now,
                updated_at: now,
            };
            new.insert(conn).await?;
            SupplierWallet::set_imported(conn, wallet.id.0, &wallet.address, now).await?;
            wallet.key.insert(conn).await?;
            let id = wallet.id.to_string();
            enqueue_in_tx(
                conn,
                JobRequest {
                    kind: JobKind::WalletsSync,
                    object_id: &id,
                    run_at: now,
                    now,
                },
            )
            .await?;
        }
        Ok(())
    })
    .await
}

/// Wallets in id order after `after`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(pool: &Pool, after: Option<WalletId>, limit: i64) -> Result<Vec<SupplierWallet>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(SupplierWallet::page(&mut conn, after.map(|id| id.0), limit).await?)
}

/// A wallet.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn find(pool: &Pool, id: WalletId) -> Result<SupplierWallet, DomainError> {
    let mut conn = acquire(pool).await?;
    SupplierWallet::find(&mut conn, id.0)
        .await?
        .ok_or(DomainError::NotFound("wallet"))
}

/// A wallet's reads before `before`, the newest first.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn snapshots(
    pool: &Pool,
    id: WalletId,
    before: Option<DateTime<Utc>>,
    limit: i64,
) -> Result<Vec<WalletSnapshotRow>, DomainError> {
    let mut conn = acquire(pool).await?;
    if SupplierWallet::find(&mut conn, id.0).await?.is_none() {
        return Err(DomainError::NotFound("wallet"));
    }
    let before = before.unwrap_or(DateTime::<Utc>::MAX_UTC);
    Ok(WalletSnapshotRow::page(&mut conn, id.0, before, limit).await?)
}

/// Switches a wallet on or off for new orders; on also ends an isolation. Live rentals are reclaimed either way.
///
/// # Errors
/// [`DomainError::NotFound`], or [`DomainError::WalletNotActive`] while its key is not in.
pub async fn set_enabled(
    pool: &Pool,
    id: WalletId,
    enabled: bool,
    now: DateTime<Utc>,
) -> Result<SupplierWallet, DomainError> {
    run_tx(pool, "toggle_supplier_wallet", async |conn| {
        let wallet = SupplierWallet::lock(conn, id.0)
            .await?
            .ok_or(DomainError::NotFound("wallet"))?;
        if wallet.state != WalletState::Active {
            return Err(DomainError::WalletNotActive);
        }
        SupplierWallet::set_enabled(conn, id.0, enabled, now)
            .await?
            .ok_or(DomainError::NotFound("wallet"))
    })
    .await
}

/// Asks for a sync of every active wallet, spread evenly over `spread`; answers how many and the wakes to push.
///
/// # Errors
/// When the database fails.
pub async fn request_sync_of_all(
    pool: &Pool,
    spread: Duration,
    now: DateTime<Utc>,
) -> Result<(usize, Vec<Wake>), DomainError> {
    run_tx(pool, "request_wallet_syncs", async |conn| {
        let ids: Vec<String> = SupplierWallet::active_ids(conn)
            .await?
            .iter()
            .map(ToString::to_string)
            .collect();
        let count = i32::try_from(ids.len().max(1)).unwrap_or(i32::MAX);
        let requests: Vec<JobRequest<'_>> = (0_i32..)
            .zip(&ids)
            .map(|(n, id)| JobRequest {
                kind: JobKind::WalletsSync,
                object_id: id,
                run_at: now + spread / count * n,
                now,
            })
            .collect();
        Ok((ids.len(), enqueue_many_in_tx(conn, &requests).await?))
    })
    .await
}

/// Asks for a sync of these wallets now; answers the wakes to push. All or none.
///
/// # Errors
/// [`DomainError::NotFound`] for an unknown wallet, [`DomainError::WalletNotActive`] for one whose key is not in.
pub async fn request_sync(pool: &Pool, ids: &[WalletId], now: DateTime<Utc>) -> Result<Vec<Wake>, DomainError> {
    run_tx(pool, "request_wallet_syncs", async |conn| {
        let mut wanted = Vec::with_capacity(ids.len());
        for id in ids {
            let wallet = SupplierWallet::find(conn, id.0)
                .await?
                .ok_or(DomainError::NotFound("wallet"))?;
            if wallet.state != WalletState::Active {
                return Err(DomainError::WalletNotActive);
            }
            wanted.push(id.to_string());
        }
        Ok(enqueue_each_in_tx(conn, JobKind::WalletsSync, &wanted, now).await?)
    })
    .await
}

/// Sets a wallet's reservation to what its delegations say: promised, or on chain after the last sync.
///
/// # Errors
/// When the database fails.
pub(crate) async fn recount_reserved_in_tx(
    conn: &mut Conn,
    id: uuid::Uuid,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let wallet = SupplierWallet::lock(conn, id)
        .await?
        .ok_or(DomainError::NotFound("wallet"))?;
    let reserved = Delegation::unseen_sun(conn, id, wallet.synced_block).await?;
    Ok(SupplierWallet::set_reserved(conn, id, reserved, now).await?)
}

/// Tries isolated wallets again whose time has come; answers how many. One failure more isolates them anew.
///
/// # Errors
/// When the database fails.
pub async fn begin_probations(pool: &Pool, isolate_after: i32, now: DateTime<Utc>) -> Result<usize, DomainError> {
    run_tx(pool, "begin_probations", async |conn| {
        let left = isolate_after.saturating_sub(1);
        let tried = SupplierWallet::begin_probations(conn, left, now).await?;
        let subjects: Vec<String> = tried.iter().map(|wallet| format!("wallet:{wallet}")).collect();
        findings::clear_many_in_tx(conn, FindingKind::WalletIsolated, &subjects, now).await?;
        Ok(tried.len())
    })
    .await
}

/// A wallet gets no new orders until it is tried again at a time, or where none is given until an operator releases it;
/// live rentals are reclaimed all the same.
///
/// # Errors
/// When the database fails.
pub async fn isolate_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    wallet: uuid::Uuid,
    (reason, probation_at): (&str, Option<DateTime<Utc>>),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if SupplierWallet::isolate(conn, wallet, reason, probation_at, now).await? {
        let detail = json!({ "reason": reason, "probation_at": probation_at });
        let subject = format!("wallet:{wallet}");
        findings::record_in_tx(conn, ids, FindingKind::WalletIsolated, &subject, detail, now).await?;
    }
    Ok(())
}
