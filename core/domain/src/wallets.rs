//! Supplier wallets: taken in, synchronised with the chain, switched on and off.

use chain::{EnergyMarket, WalletSnapshot};
use chrono::{DateTime, Duration, Utc};
use db::models::{
    ChainCursor, Delegation, NewSupplierWallet, SupplierWallet, WalletFigures, WalletImport, WalletKey, WalletPurpose,
    WalletState,
};
use db::{Conn, Pool, acquire, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_each_in_tx, enqueue_in_tx, enqueue_many_in_tx};
use kernel::{IdGen, WalletId};
use serde_json::json;
use vault::SealedImport;

use crate::DomainError;
use crate::findings::{self, FindingKind};
use crate::reconcile::lent::lent_in_all;

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

/// Stores what the chain says of a wallet, and of its tokens if that was asked. Delegations that the snapshot may not show yet stay reserved; answers how much
/// that is, in sun.
///
/// # Errors
/// When the database fails.
pub async fn apply_snapshot(
    pool: &Pool,
    ids: &dyn IdGen,
    (id, network): (WalletId, &str),
    (snapshot, usdt_micro): (&WalletSnapshot, Option<i64>),
    margin_blocks: i64,
    now: DateTime<Utc>,
) -> Result<i64, DomainError> {
    note_market(pool, network, snapshot.market).await?;
    let by_margin = snapshot.as_of_block.saturating_sub(margin_blocks).max(0);
    run_tx(pool, "apply_wallet_snapshot", async |conn| {
        let wallet = SupplierWallet::lock(conn, id.0)
            .await?
            .ok_or(DomainError::NotFound("wallet"))?;
        // of blocks that are not applied we do not know which delegations they hold: those count as unseen until the next read
        let applied = ChainCursor::find(conn, network)
            .await?
            .map_or(by_margin, |cursor| cursor.head_number);
        let surely_seen = by_margin.min(applied);
        if wallet.synced_block > surely_seen {
            return Ok(wallet.reserved_sun); // a lagging endpoint: what we have is newer
        }
        let reserved_sun = Delegation::unseen_sun(conn, id.0, surely_seen).await?;
        let figures = WalletFigures {
            balance_sun: snapshot.balance_sun,
            staked_energy_sun: snapshot.staked_energy_sun,
            staked_bandwidth_sun: snapshot.staked_bandwidth_sun,
            delegated_energy_sun: snapshot.delegated_energy_sun,
            delegatable_sun: snapshot.delegatable_sun.max(0),
            bandwidth_available: snapshot.bandwidth_available,
            usdt_micro,
            synced_block: surely_seen,
            synced_at: now,
            reserved_sun,
            updated_at: now,
        };
        SupplierWallet::set_figures(conn, id.0, &figures).await?;
        if wallet.purpose == WalletPurpose::Supply {
            compare_delegated_in_tx(conn, ids, (id, network), (snapshot, surely_seen), now).await?;
        }
        Ok(reserved_sun)
    })
    .await
}

/// On its own: the watcher holds the network's row while it waits for wallets.
async fn note_market(pool: &Pool, network: &str, market: EnergyMarket) -> Result<(), DomainError> {
    if market.total_limit > 0 && market.total_weight > 0 {
        let mut conn = acquire(pool).await?;
        ChainCursor::set_market(&mut conn, network, market.total_limit, market.total_weight).await?;
    }
    Ok(())
}

/// Compares the chain's delegated stake with our books, as `reconcile::lent` does for each receiver, only at every read
/// and for the wallet as a whole. Figures of the newest block may be those of a branch that will be lost; a difference
/// that such a branch makes is closed by the next read.
async fn compare_delegated_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (id, network): (WalletId, &str),
    (snapshot, surely_seen): (&WalletSnapshot, i64),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let books = lent_in_all(conn, network, id.0, surely_seen).await?;
    let subject = format!("wallet:{id}");
    if books.allow(snapshot.delegated_energy_sun) {
        return findings::clear_in_tx(conn, FindingKind::DelegatedDiffers, &subject, now).await;
    }
    let detail = json!({
        "chain_sun": snapshot.delegated_energy_sun, "books_sun": books.least, "books_sun_at_most": books.most,
        "block": snapshot.as_of_block,
    });
    findings::record_in_tx(conn, ids, FindingKind::DelegatedDiffers, &subject, detail, now).await
}

/// Staked sun that can be delegated now, over every wallet that takes orders.
///
/// # Errors
/// When the database fails.
pub async fn sellable_sun(conn: &mut Conn) -> Result<i64, DomainError> {
    Ok(SupplierWallet::sellable_sun(conn).await?)
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
