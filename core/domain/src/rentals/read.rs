//! Rentals as they are now.

use db::models::{Rental, RentalFilter};
use db::{Pool, acquire};
use uuid::Uuid;

use crate::DomainError;

/// One rental, by its transfer.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn find(pool: &Pool, transfer: Uuid) -> Result<Rental, DomainError> {
    let mut conn = acquire(pool).await?;
    let found = Rental::find(&mut conn, transfer).await?;
    found.ok_or(DomainError::NotFound("rental"))
}

/// What a transaction bought. None before its block is solid.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of_transaction(pool: &Pool, network: &str, txid: &str) -> Result<Vec<Rental>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(Rental::of_transaction(&mut conn, network, txid).await?)
}

/// A page of rentals behind the rental `place`, in the filter's direction, each with its transaction.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    pool: &Pool,
    filter: &RentalFilter,
    place: Option<Uuid>,
    limit: i64,
) -> Result<Vec<(Rental, String)>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(Rental::page(&mut conn, filter, place, limit).await?)
}
