//! What a key with a daily limit has users spend, counted in the transaction that charges them. What is given back later is spent
//! all the same: the limit is there for the day on which somebody else has the key.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use db::models::KeySpending;
use db::{Conn, Pool, acquire};
use kernel::{Amount, ApiKeyId};
use uuid::Uuid;

use crate::DomainError;

/// Counts what a user is charged at a key's request; `limit_sun` is that of the key, `None` where it has none.
///
/// # Errors
/// [`DomainError::DailyLimit`]; nothing is counted then.
pub(crate) async fn spend_in_tx(
    conn: &mut Conn,
    (key, limit_sun): (ApiKeyId, Option<i64>),
    amount: Amount,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let Some(limit_sun) = limit_sun else {
        return Ok(());
    };
    if amount == Amount::ZERO || KeySpending::add(conn, (key.0, now), (amount.minor(), limit_sun)).await? {
        return Ok(());
    }
    let spent = KeySpending::of_day(conn, &[key.0], now).await?;
    let spent = spent.first().map_or(0, |(_, sun)| *sun);
    let left = Amount::from_minor(limit_sun.saturating_sub(spent).max(0)).unwrap_or(Amount::ZERO);
    Err(DomainError::DailyLimit { left })
}

/// The same where the key's limit is not known yet.
///
/// # Errors
/// As [`spend_in_tx`].
pub(crate) async fn spend_by_key_in_tx(
    conn: &mut Conn,
    key: ApiKeyId,
    amount: Amount,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let limit_sun = KeySpending::limit(conn, key.0).await?;
    spend_in_tx(conn, (key, limit_sun), amount, now).await
}

/// What these keys had users spend today, in sun.
///
/// # Errors
/// When the database cannot be asked.
pub async fn spent_today(pool: &Pool, keys: &[Uuid], now: DateTime<Utc>) -> Result<HashMap<Uuid, i64>, DomainError> {
    let mut conn = acquire(pool).await?;
    let spent = KeySpending::of_day(&mut conn, keys, now).await?;
    Ok(spent.into_iter().collect())
}
