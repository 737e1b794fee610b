//! Reading deposits and transfers.

use std::collections::HashMap;

use db::models::{Deposit, DepositAddress, DepositFilter, DepositOrder, IncomingTransfer};
use db::{Conn, Pool, acquire};
use uuid::Uuid;

use super::Announced;
use crate::DomainError;

pub(super) async fn find_in(conn: &mut Conn, id: Uuid) -> Result<Announced, DomainError> {
    let deposit = Deposit::find(conn, id).await?.ok_or(DomainError::NotFound("deposit"))?;
    let with = with_addresses(conn, vec![deposit]).await?;
    with.into_iter().next().ok_or(DomainError::NotFound("deposit"))
}

async fn with_addresses(conn: &mut Conn, deposits: Vec<Deposit>) -> Result<Vec<Announced>, DomainError> {
    let mut ids: Vec<Uuid> = deposits.iter().map(|deposit| deposit.address_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let addresses = DepositAddress::by_ids(conn, &ids).await?;
    let ids: Vec<Uuid> = deposits.iter().map(|deposit| deposit.id).collect();
    let orders = DepositOrder::of_deposits(conn, &ids).await?;
    let mut orders: HashMap<Uuid, DepositOrder> = orders.into_iter().map(|order| (order.deposit_id, order)).collect();
    let address_of = |deposit: &Deposit| {
        let found = addresses.iter().find(|address| address.id == deposit.address_id);
        let found = found.map(|address| address.address.clone());
        found.ok_or_else(|| DomainError::Broken(format!("deposit {} has no address", deposit.id)))
    };
    let with = |deposit: Deposit| {
        let address = address_of(&deposit)?;
        let order = orders.remove(&deposit.id);
        Ok(Announced {
            deposit,
            address,
            order,
        })
    };
    deposits.into_iter().map(with).collect()
}

/// A deposit with what came for it, in the order of the chain.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn find(pool: &Pool, id: Uuid) -> Result<(Announced, Vec<IncomingTransfer>), DomainError> {
    let mut conn = acquire(pool).await?;
    let announced = find_in(&mut conn, id).await?;
    let transfers = IncomingTransfer::of_deposit(&mut conn, id).await?;
    Ok((announced, transfers))
}

/// A page of deposits behind the deposit `place`, in the filter's direction.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    pool: &Pool,
    filter: &DepositFilter,
    place: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Announced>, DomainError> {
    let mut conn = acquire(pool).await?;
    let deposits = Deposit::page(&mut conn, filter, place, limit).await?;
    with_addresses(&mut conn, deposits).await
}
