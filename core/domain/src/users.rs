//! Customers: their balances, corrections by an operator or a bot, and the addresses they keep.

use chain::TronAddress;
use chrono::{DateTime, Utc};
use db::models::{ApiKey, User, UserWallet};
use db::{Conn, Pool, acquire, run_tx, trail};
use kernel::{Amount, Asset, UserId};
use ledger::movements::{self, Adjustment, Direction};
use ledger::{Movement, Posted, StatementFilter, StatementPlace};
use serde_json::json;

use crate::DomainError;
use crate::api_keys::actor_id;
use crate::operations::is_reason;

/// The most that a balance is raised to by hand, in minor units: ten times all TRX that there is. It is so far from what 64 bits
/// hold that nothing else that is credited later can fail for it, a refund above all.
const BALANCE_MAX: i64 = 1_000_000_000_000_000_000;

/// A user's balance in every asset; a user never seen has nothing.
///
/// # Errors
/// When the database cannot be asked.
pub async fn balances(pool: &Pool, user: UserId) -> Result<Vec<(Asset, Amount)>, DomainError> {
    let mut conn = acquire(pool).await?;
    let held = ledger::user_balances(&mut conn, user).await?;
    let of = |asset| {
        held.iter()
            .find(|(a, _)| *a == asset)
            .map_or(Amount::ZERO, |(_, amount)| *amount)
    };
    Ok(Asset::ALL.into_iter().map(|asset| (asset, of(asset))).collect())
}

/// What an adjustment left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adjusted {
    /// The balance afterwards.
    pub balance: Amount,
    /// Whether the same adjustment was booked before, so that nothing moved now.
    pub replayed: bool,
}

/// Credits or debits a user against `house:adjustments`. The same reference and contents again is a no-op.
///
/// # Errors
/// Insufficient funds, a balance beyond all bounds, a reference used for something else, or a database failure.
pub async fn adjust(pool: &Pool, adjustment: &Adjustment<'_>) -> Result<Adjusted, DomainError> {
    check_raise(adjustment.direction == Direction::Credit, adjustment.amount)?;
    run_tx(pool, "adjust_balance", async |conn| {
        if let Some(id) = actor_id(adjustment.actor)
            && ApiKey::is_gone(conn, id).await?
        {
            return Err(DomainError::CallerGone);
        }
        adjust_in_tx(conn, adjustment).await
    })
    .await
}

/// Whether so much may be credited by hand at all.
pub(crate) fn check_raise(credit: bool, amount: Amount) -> Result<(), DomainError> {
    if credit && amount.minor() > BALANCE_MAX {
        return Err(DomainError::BalanceTooLarge);
    }
    Ok(())
}

/// The same in a transaction of the caller's.
pub(crate) async fn adjust_in_tx(conn: &mut Conn, adjustment: &Adjustment<'_>) -> Result<Adjusted, DomainError> {
    User::ensure(conn, adjustment.user.0, adjustment.at).await?;
    let posted = movements::adjust_in_tx(conn, adjustment).await?;
    let balance = ledger::lock_user_balance_in_tx(conn, adjustment.user, adjustment.asset).await?;
    let raises = adjustment.direction == Direction::Credit;
    if raises && posted == Posted::New && balance.minor() > BALANCE_MAX {
        return Err(DomainError::BalanceTooLarge);
    }
    trail::changed(|| {
        let (user, asset) = (adjustment.user.0, adjustment.asset.to_string());
        json!({ "user": user, "asset": asset, "balance": balance.to_string(), "again": posted == Posted::Already })
    });
    Ok(Adjusted {
        balance,
        replayed: posted == Posted::Already,
    })
}

/// Users by id, after the user `after`; of those that are blocked or not, where that is asked.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    pool: &Pool,
    blocked: Option<bool>,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<User>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(User::page(&mut conn, blocked, after, limit).await?)
}

/// A user.
///
/// # Errors
/// [`DomainError::NotFound`] for one never seen.
pub async fn find(pool: &Pool, user: UserId) -> Result<User, DomainError> {
    let mut conn = acquire(pool).await?;
    User::find(&mut conn, user.0)
        .await?
        .ok_or(DomainError::NotFound("user"))
}

/// What moved on a user's accounts, newest first, before `before`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn statement(
    pool: &Pool,
    user: UserId,
    filter: StatementFilter,
    before: Option<&StatementPlace>,
    limit: i64,
) -> Result<Vec<Movement>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(ledger::statement(&mut conn, user, filter, before, limit).await?)
}

/// The addresses that a user keeps, oldest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn wallets(pool: &Pool, user: UserId) -> Result<Vec<UserWallet>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(UserWallet::of_user(&mut conn, user.0).await?)
}

/// Keeps an address for a user, with a label. Answers the row and whether it is new.
///
/// # Errors
/// When the label is too long, the user keeps too many, or the database fails.
pub async fn keep_wallet(
    pool: &Pool,
    user: UserId,
    address: TronAddress,
    label: Option<String>,
    now: DateTime<Utc>,
) -> Result<(UserWallet, bool), DomainError> {
    if label.as_ref().is_some_and(|label| label.chars().count() > 100) {
        return Err(DomainError::BadText("label must have at most 100 characters"));
    }
    let wallet = UserWallet {
        user_id: user.0,
        address: address.to_string(),
        label,
        created_at: now,
    };
    let new = run_tx(pool, "keep_user_wallet", async |conn| {
        User::ensure(conn, user.0, now).await?;
        let kept = UserWallet::of_user(conn, user.0).await?;
        if kept.len() >= 100 && !kept.iter().any(|k| k.address == wallet.address) {
            return Err(DomainError::BadText(
                "a user keeps at most 100 addresses; delete one first",
            ));
        }
        trail::changed(|| json!({ "user": user.0, "address": wallet.address, "label": wallet.label }));
        Ok(wallet.upsert(conn).await?)
    })
    .await?;
    Ok((wallet, new))
}

/// Forgets an address of a user.
///
/// # Errors
/// [`DomainError::NotFound`] when the user does not keep it.
pub async fn forget_wallet(pool: &Pool, user: UserId, address: TronAddress) -> Result<(), DomainError> {
    run_tx(pool, "forget_user_wallet", async |conn| {
        trail::changed(|| json!({ "user": user.0, "forgotten": address.to_string() }));
        if UserWallet::delete(conn, user.0, &address.to_string()).await? {
            Ok(())
        } else {
            Err(DomainError::NotFound("address"))
        }
    })
    .await
}

/// Blocks a user with a reason, or unblocks with none. A blocked user's running orders go on.
///
/// # Errors
/// [`DomainError::NotFound`] for a user never seen.
pub async fn set_blocked(
    pool: &Pool,
    user: UserId,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if reason.is_some_and(|reason| !is_reason(reason)) {
        return Err(DomainError::BadReason);
    }
    run_tx(pool, "block_user", async |conn| {
        trail::changed(|| json!({ "user": user.0, "blocked": reason }));
        if User::set_blocked(conn, user.0, reason, now).await? {
            Ok(())
        } else {
            Err(DomainError::NotFound("user"))
        }
    })
    .await
}
