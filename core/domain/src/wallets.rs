//! Supplier wallets: taken in, synchronised with the chain, switched on and off.

mod intake;
mod keys;
mod permissions;
mod powers;
mod reading;
mod shortfall;
mod standing;

use chrono::{DateTime, Duration, Utc};
use db::models::{SupplierWallet, WalletFilter, WalletSnapshotRow, WalletState};
use db::{Conn, Pool, acquire, run_tx, trail};
use jobs::{JobKind, JobRequest, Wake, enqueue_each_in_tx, enqueue_many_in_tx};
use kernel::{IdGen, WalletId};
use serde_json::json;

pub use intake::{Added, Adopted, Import, NewWallet, Opened, add, adopt, finish_import};
pub use keys::{KeyOpened, KeyToReplace, NewKey, finish_replacement, open_replacement};
pub(crate) use keys::{checked_wallet_in_tx, replace_in_tx, request_in_tx};
pub use permissions::{ReadPermissions, note_permissions, permissions_of};
pub use powers::{KeyPowers, Problem, judge};
pub use reading::{Reading, apply_snapshot};
pub use standing::{Shown, Standing, shown};

use crate::DomainError;
use crate::events::{EventType, tell_of_wallet_in_tx};
use crate::findings::{self, FindingKind};

/// A page of wallets behind the wallet `place`, in the filter's direction.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    pool: &Pool,
    filter: &WalletFilter,
    place: Option<WalletId>,
    limit: i64,
) -> Result<Vec<SupplierWallet>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(SupplierWallet::page(&mut conn, filter, place.map(|id| id.0), limit).await?)
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
    ids: &dyn IdGen,
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
        trail::changed(|| json!({ "supplier_wallet": id.0, "before": wallet.enabled, "after": enabled }));
        let set = SupplierWallet::set_enabled(conn, id.0, enabled, now)
            .await?
            .ok_or(DomainError::NotFound("wallet"))?;
        let (event, stood) = match enabled {
            true => (EventType::WalletEnabled, wallet.enabled && wallet.isolated_at.is_none()),
            false => (EventType::WalletDisabled, !wallet.enabled),
        };
        if !stood {
            tell_of_wallet_in_tx(conn, ids, event, (id.0, None), now).await?;
        }
        Ok(set)
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

/// Sets a wallet's reservation to what it has promised, or what is on chain after the last sync.
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
    let promised = SupplierWallet::promised(conn, id, wallet.synced_block).await?;
    Ok(SupplierWallet::set_reserved(conn, id, promised.sum(), now).await?)
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
        tell_of_wallet_in_tx(conn, ids, EventType::WalletIsolated, (wallet, Some(reason)), now).await?;
    }
    Ok(())
}
