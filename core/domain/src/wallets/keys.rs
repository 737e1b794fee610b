//! A key in place of another: asked for with a sealed key that a worker opens, or given by the worker itself. Key, key address
//! and permission change in one transaction under the wallet's lock, which every signature is made under, too.

use chain::TronAddress;
use chrono::{DateTime, Utc};
use db::models::{
    KeyReplacement, NewKeyReplacement, ReplacementState, SupplierWallet, WalletKey, WalletPermission, WalletState,
};
use db::{Conn, Pool, acquire, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::WalletId;
use uuid::Uuid;
use vault::SealedImport;

use super::intake::{check_permission_id, sync_now_in_tx};
use crate::DomainError;
use crate::orders::guarded;

/// A key as it comes.
pub enum NewKey<'a> {
    /// Sealed to the workers: the old key signs until one has opened it.
    Sealed(&'a SealedImport),
    /// At rest already.
    Opened(KeyOpened),
}

/// A key that a worker opened and wrapped for rest, for the wallet's address.
pub struct KeyOpened {
    /// The key's own address.
    pub key_address: TronAddress,
    /// The key at rest.
    pub key: WalletKey,
}

/// What is to be replaced, and by what.
pub struct KeyToReplace<'a> {
    /// The wallet.
    pub wallet: WalletId,
    /// What the new key signs by; `None`: what the old one did.
    pub permission_id: Option<i32>,
    /// The new key.
    pub key: NewKey<'a>,
}

const NOT_ITS_OWN: &str = "the key is not that of the wallet's address, and permission 0 needs that";

/// The wallet, locked, if its key can be replaced, and what the new one signs by.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::WalletNotActive`] while its first key is not in; a permission that no key of ours
/// signs by; [`DomainError::KeyReplacementOpen`].
pub(crate) async fn checked_wallet_in_tx(
    conn: &mut Conn,
    wallet: WalletId,
    permission_id: Option<i32>,
) -> Result<(SupplierWallet, i32), DomainError> {
    let wallet = SupplierWallet::lock(conn, wallet.0)
        .await?
        .ok_or(DomainError::NotFound("wallet"))?;
    if wallet.state != WalletState::Active {
        return Err(DomainError::WalletNotActive);
    }
    let permission_id = permission_id.unwrap_or(wallet.permission_id);
    check_permission_id(permission_id)?;
    if KeyReplacement::any_open(conn, wallet.id).await? {
        return Err(DomainError::KeyReplacementOpen);
    }
    Ok((wallet, permission_id))
}

/// Asks for a replacement: the row with its sealed key, and the job that opens it.
///
/// # Errors
/// [`DomainError::KeyReplacementOpen`], or when the database fails.
pub(crate) async fn request_in_tx(
    conn: &mut Conn,
    (id, wallet, permission_id): (Uuid, &SupplierWallet, i32),
    sealed: &SealedImport,
    (actor, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    insert_in_tx(
        conn,
        (id, wallet.id, permission_id),
        Some(sealed.as_bytes()),
        (actor, reason),
        now,
    )
    .await?;
    let job = JobRequest {
        kind: JobKind::WalletsImport,
        object_id: &wallet.id.to_string(),
        run_at: now,
        now,
    };
    Ok(enqueue_in_tx(conn, job).await?)
}

async fn insert_in_tx(
    conn: &mut Conn,
    (id, wallet_id, permission_id): (Uuid, Uuid, i32),
    sealed: Option<&[u8]>,
    (actor, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let new = NewKeyReplacement {
        id,
        wallet_id,
        state: ReplacementState::Requested,
        sealed,
        permission_id,
        requested_by: actor,
        reason,
        created_at: now,
    };
    if new.insert_if_none_open(conn).await? {
        return Ok(());
    }
    Err(DomainError::KeyReplacementOpen)
}

/// Replaces a key that a worker opened itself, at once.
///
/// # Errors
/// [`DomainError::KeyNotOfWallet`] for a key that permission 0 cannot be signed by, or when the database fails.
pub(crate) async fn replace_in_tx(
    conn: &mut Conn,
    (id, wallet, permission_id): (Uuid, &SupplierWallet, i32),
    opened: &KeyOpened,
    (actor, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    if !fits(wallet, permission_id, opened) {
        return Err(DomainError::KeyNotOfWallet);
    }
    insert_in_tx(conn, (id, wallet.id, permission_id), None, (actor, reason), now).await?;
    swap_in_tx(conn, (id, wallet, permission_id), opened, now).await
}

/// An owner's key is the account's own.
fn fits(wallet: &SupplierWallet, permission_id: i32, opened: &KeyOpened) -> bool {
    permission_id != 0 || wallet.address.as_deref() == Some(opened.key_address.to_string().as_str())
}

/// What waits to be opened for a wallet: the replacement and its sealed key, and the wallet.
///
/// # Errors
/// When the database fails.
pub async fn open_replacement(
    pool: &Pool,
    wallet: WalletId,
) -> Result<Option<(KeyReplacement, Vec<u8>, SupplierWallet)>, DomainError> {
    let mut conn = acquire(pool).await?;
    let Some((replacement, sealed)) = KeyReplacement::open_of(&mut conn, wallet.0).await? else {
        return Ok(None);
    };
    let found = SupplierWallet::find(&mut conn, wallet.0).await?;
    let found = found.ok_or(DomainError::NotFound("wallet"))?;
    Ok(Some((replacement, sealed, found)))
}

/// Ends a replacement: the new key signs, or it is refused for the reason that is given and nothing is changed. The sealed key
/// is gone either way. Of several workers one has an effect: the wallet's lock decides.
///
/// # Errors
/// When the database fails.
pub async fn finish_replacement(
    pool: &Pool,
    replacement: &KeyReplacement,
    opened: &Result<KeyOpened, String>,
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    run_tx(pool, "finish_key_replacement", async |conn| {
        let wallet = SupplierWallet::lock(conn, replacement.wallet_id)
            .await?
            .ok_or(DomainError::NotFound("wallet"))?;
        let still = KeyReplacement::find(conn, replacement.id).await?;
        if still.is_none_or(|still| still.state != ReplacementState::Requested) {
            return Ok(None);
        }
        let refused = |address: Option<String>, reason: &str| (address, reason.to_owned());
        let (address, reason) = match opened {
            Ok(opened) if fits(&wallet, replacement.permission_id, opened) => {
                let what = (replacement.id, &wallet, replacement.permission_id);
                return swap_in_tx(conn, what, opened, now).await;
            }
            Ok(opened) => refused(Some(opened.key_address.to_string()), NOT_ITS_OWN),
            Err(reason) => refused(None, reason),
        };
        tracing::warn!(wallet = %wallet.id, reason, "a key is not replaced");
        let why = (address.as_deref(), reason.as_str());
        let ended = KeyReplacement::set_rejected(conn, replacement.id, why, now).await?;
        guarded(ended, "key replacement", replacement.id)?;
        Ok(None)
    })
    .await
}

/// The caller holds the wallet's lock. What a read said of the old key is forgotten, and the next is asked for.
async fn swap_in_tx(
    conn: &mut Conn,
    (id, wallet, permission_id): (Uuid, &SupplierWallet, i32),
    opened: &KeyOpened,
    now: DateTime<Utc>,
) -> Result<Option<Wake>, DomainError> {
    let broken = || DomainError::Broken(format!("wallet {} has no key to replace", wallet.id));
    let old = wallet.key_address().ok_or_else(broken)?;
    let new = opened.key_address.to_string();
    let of_another = (wallet.address.as_ref() != Some(&new)).then_some(new.as_str());
    guarded(opened.key.replace(conn).await?, "wallet key", wallet.id)?;
    SupplierWallet::set_key(conn, wallet.id, (of_another, permission_id), now).await?;
    let done = KeyReplacement::set_done(conn, id, (old, wallet.permission_id), &new, now).await?;
    guarded(done, "key replacement", id)?;
    WalletPermission::forget(conn, wallet.id).await?;
    tracing::info!(wallet = %wallet.id, old, new, permission_id, "a key is replaced");
    sync_now_in_tx(conn, WalletId(wallet.id), now).await
}
