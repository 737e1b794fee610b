//! Exchanges as they are shown.

use db::models::{Exchange, ExchangeFilter};
use db::{Pool, acquire};
use kernel::ExchangeId;

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

/// A page of exchanges behind the exchange `place`, in the filter's direction.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    pool: &Pool,
    filter: &ExchangeFilter,
    place: Option<ExchangeId>,
    limit: i64,
) -> Result<Vec<Exchange>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(Exchange::page(&mut conn, filter, place.map(|id| id.0), limit).await?)
}
