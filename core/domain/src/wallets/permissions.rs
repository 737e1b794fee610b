//! What a read says of a wallet's key is kept and judged: one that cannot sign isolates its wallet until a read is good again.

use chain::{AccountPermissions, TronAddress};
use chrono::{DateTime, Utc};
use db::models::{SupplierWallet, WalletPermission, WalletPurpose, WalletState};
use db::{Conn, Pool, acquire, run_tx};
use kernel::{IdGen, WalletId};
use serde_json::json;

use super::isolate_in_tx;
use super::powers::{KeyPowers, judge};
use crate::DomainError;
use crate::findings::{self, FindingKind};

/// The reason of an isolation that ends by itself once the key can sign again.
const KEY_CANNOT_SIGN: &str = "its key cannot sign: see its permissions";

/// What was read, and at which block.
#[derive(Debug, Clone, Copy)]
pub struct ReadPermissions<'a> {
    /// Where.
    pub network: &'a str,
    /// The account's.
    pub permissions: &'a AccountPermissions,
    /// The head just before that was read.
    pub as_of_block: i64,
}

/// Keeps and judges what was read by itself, for an operator who wants to know now. Answers `None` for a wallet whose key is
/// not in.
///
/// # Errors
/// [`DomainError::NotFound`], or when the database fails.
pub async fn note_permissions(
    pool: &Pool,
    ids: &dyn IdGen,
    (id, read): (WalletId, ReadPermissions<'_>),
    now: DateTime<Utc>,
) -> Result<Option<KeyPowers>, DomainError> {
    run_tx(pool, "note_permissions", async |conn| {
        let wallet = SupplierWallet::lock(conn, id.0)
            .await?
            .ok_or(DomainError::NotFound("wallet"))?;
        note_in_tx(conn, ids, (&wallet, read), now).await
    })
    .await
}

/// The same in the caller's transaction, who holds the wallet's lock: the key and the permission are those that sign next. A
/// read that is older than what we have is judged and changes nothing.
pub(super) async fn note_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (wallet, read): (&SupplierWallet, ReadPermissions<'_>),
    now: DateTime<Utc>,
) -> Result<Option<KeyPowers>, DomainError> {
    if wallet.state != WalletState::Active || wallet.purpose == WalletPurpose::Deposit {
        return Ok(None);
    }
    let account = parsed(wallet, wallet.address.as_deref())?;
    let key = parsed(wallet, wallet.key_address())?;
    let powers = judge(read.permissions, (account, key), wallet.permission_id, wallet.purpose);
    let before = WalletPermission::find(conn, wallet.id, read.network).await?;
    if before.is_some_and(|before| before.as_of_block > read.as_of_block) {
        return Ok(Some(powers));
    }
    row(wallet, key, (&powers, read), now).write(conn).await?;
    warn_in_tx(conn, ids, (wallet, &powers), read, now).await?;
    Ok(Some(powers))
}

fn parsed(wallet: &SupplierWallet, address: Option<&str>) -> Result<TronAddress, DomainError> {
    let parsed = address.and_then(|address| address.parse().ok());
    parsed.ok_or_else(|| DomainError::Broken(format!("an address of wallet {}", wallet.id)))
}

fn row(
    wallet: &SupplierWallet,
    key: TronAddress,
    (powers, read): (&KeyPowers, ReadPermissions<'_>),
    now: DateTime<Utc>,
) -> WalletPermission {
    let permission = powers.permission.as_ref();
    let limited = permission.filter(|permission| permission.id != 0);
    WalletPermission {
        wallet_id: wallet.id,
        network: read.network.to_owned(),
        read_at: now,
        as_of_block: read.as_of_block,
        key_address: key.to_string(),
        permission_id: wallet.permission_id,
        permission_name: permission.map(|permission| permission.name.clone()),
        threshold: permission.map_or(0, |permission| permission.threshold),
        weight: powers.weight,
        operations: limited.map(|permission| permission.operations.to_string()),
        can: json!(powers.can),
        lacks: json!(powers.lacks),
        moves_money: json!(powers.moves_money),
        signs_alone: powers.signs_alone,
        problem: powers.problem().map(|problem| problem.word().to_owned()),
    }
}

/// Tells an operator, and takes a wallet out of use whose key cannot sign. An owner's key can do everything, and nobody is
/// told of each: a gauge counts them.
async fn warn_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (wallet, powers): (&SupplierWallet, &KeyPowers),
    read: ReadPermissions<'_>,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let subject = format!("wallet:{}", wallet.id);
    let about = json!({
        "address": wallet.address, "key_address": wallet.key_address(), "permission_id": wallet.permission_id,
        "network": read.network, "block": read.as_of_block,
    });
    if let Some(problem) = powers.problem() {
        let mut detail = about.clone();
        detail["problem"] = json!(problem.word());
        detail["lacks"] = json!(powers.lacks);
        findings::record_in_tx(conn, ids, FindingKind::KeyCannotSign, &subject, detail, now).await?;
        isolate_in_tx(conn, ids, wallet.id, (KEY_CANNOT_SIGN, None), now).await?;
    } else {
        findings::clear_in_tx(conn, FindingKind::KeyCannotSign, &subject, now).await?;
        if SupplierWallet::release(conn, wallet.id, KEY_CANNOT_SIGN, now).await? {
            findings::clear_in_tx(conn, FindingKind::WalletIsolated, &subject, now).await?;
        }
    }
    if wallet.permission_id == 0 || powers.beyond.is_empty() {
        return findings::clear_in_tx(conn, FindingKind::HotKeyMovesMoney, &subject, now).await;
    }
    let mut detail = about;
    detail["can"] = json!(powers.beyond);
    findings::record_in_tx(conn, ids, FindingKind::HotKeyMovesMoney, &subject, detail, now).await
}

/// A wallet, and what the last read of each network said of its key: nothing before the first read, and none after the key
/// was replaced until the next.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn permissions_of(pool: &Pool, id: WalletId) -> Result<(SupplierWallet, Vec<WalletPermission>), DomainError> {
    let mut conn = acquire(pool).await?;
    let wallet = SupplierWallet::find(&mut conn, id.0)
        .await?
        .ok_or(DomainError::NotFound("wallet"))?;
    Ok((wallet, WalletPermission::of_wallet(&mut conn, id.0).await?))
}
