//! Exchanges as they are shown.

use db::models::Exchange;
use db::{Pool, acquire};
use kernel::{ExchangeId, UserId};

use crate::DomainError;

/// An exchange.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn find(pool: &Pool, id: ExchangeId) -> Result<Exchange, DomainError> {
    let mut conn = acquire(pool).await?;
    let found = Exchange::find(&mut conn, id.0).await?;
    found.ok_or(DomainError::NotFound("exchange"))
}

/// A user's exchanges, newest first, before the exchange `before`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of_user(
    pool: &Pool,
    user: UserId,
    before: Option<ExchangeId>,
    limit: i64,
) -> Result<Vec<Exchange>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(Exchange::of_user(&mut conn, user.0, before.map(|id| id.0), limit).await?)
}
