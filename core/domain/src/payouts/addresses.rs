//! The addresses that a user may be paid to. Whoever may ask for payouts may not lengthen this list: it has a scope of its
//! own.

use chain::TronAddress;
use chrono::{DateTime, Utc};
use db::models::{PayoutAddress, User};
use db::{Pool, acquire, run_tx, trail};
use kernel::UserId;
use serde_json::json;

use crate::DomainError;

/// The addresses that a user may be paid to, oldest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn listed_addresses(pool: &Pool, user: UserId) -> Result<Vec<PayoutAddress>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(PayoutAddress::of_user(&mut conn, user.0).await?)
}

/// Lists an address for a user, with a label. From the first one on the user is paid to listed addresses alone. Answers
/// the row and whether it is new.
///
/// # Errors
/// When the label is too long, too many are listed, or the database fails.
pub async fn list_address(
    pool: &Pool,
    user: UserId,
    address: TronAddress,
    label: Option<String>,
    now: DateTime<Utc>,
) -> Result<(PayoutAddress, bool), DomainError> {
    if label.as_ref().is_some_and(|label| label.chars().count() > 100) {
        return Err(DomainError::BadText("label must have at most 100 characters"));
    }
    let row = PayoutAddress {
        user_id: user.0,
        address: address.to_string(),
        label,
        created_at: now,
    };
    let new = run_tx(pool, "list_payout_address", async |conn| {
        User::ensure(conn, user.0, now).await?;
        let listed = PayoutAddress::of_user(conn, user.0).await?;
        if listed.len() >= 100 && !listed.iter().any(|one| one.address == row.address) {
            return Err(DomainError::BadText(
                "a user has at most 100 payout addresses; delete one first",
            ));
        }
        trail::changed(|| json!({ "user": user.0, "payout_address": row.address, "label": row.label }));
        Ok(row.upsert(conn).await?)
    })
    .await?;
    Ok((row, new))
}

/// Takes an address off a user's list.
///
/// # Errors
/// [`DomainError::NotFound`] when it is not listed.
pub async fn forget_address(pool: &Pool, user: UserId, address: TronAddress) -> Result<(), DomainError> {
    run_tx(pool, "forget_payout_address", async |conn| {
        trail::changed(|| json!({ "user": user.0, "forgotten_payout_address": address.to_string() }));
        if PayoutAddress::delete(conn, user.0, &address.to_string()).await? {
            Ok(())
        } else {
            Err(DomainError::NotFound("address"))
        }
    })
    .await
}
