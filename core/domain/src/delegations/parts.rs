//! Orders that several wallets deliver together. Such an order is delivered once all its parts are on chain, and all of
//! them end together. A part that died is made anew while the others stay; if it cannot be had in time, the others become
//! strays, which are taken back, and the money goes back whole.

use chrono::{DateTime, Utc};
use db::models::{ChainCursor, Delegation, Order, OrderState, StockHold, SupplierWallet};
use db::{Conn, Pool, run_tx};
use kernel::{DelegationId, IdGen, OrderId};
use uuid::Uuid;

use super::choice::{SplitLimits, Wanted, split};
use super::claim::{ClaimRequest, Claimed};
use super::free::Free;
use crate::DomainError;
use crate::orders::fail_in_tx;
use crate::pool::take_in_tx;

/// Wallets looked at, those with the most room first.
const WALLETS: i64 = 64;

/// What an open order lacks.
pub(super) struct Missing {
    pub(super) energy: i64,
    /// How many delegations of it are there or on their way.
    pub(super) parts: usize,
}

/// What this order lacks: all while it is pending, and nothing once it has ended. The caller holds its row.
pub(super) async fn missing_of(conn: &mut Conn, order: &Order) -> Result<Missing, DomainError> {
    match order.state {
        OrderState::Pending => Ok(Missing {
            energy: order.energy,
            parts: 0,
        }),
        OrderState::Processing => {
            let (energy, parts) = Delegation::kept_of_order(conn, order.id).await?;
            Ok(Missing {
                energy: order.energy - energy,
                parts: usize::try_from(parts).unwrap_or(usize::MAX),
            })
        }
        OrderState::Completed | OrderState::Failed | OrderState::Cancelled | OrderState::Refunded => {
            Ok(Missing { energy: 0, parts: 0 })
        }
    }
}

/// Several wallets share what is missing; none if it cannot be had so.
pub(super) async fn split_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    order: &Order,
    (request, missing): (&ClaimRequest, &Missing),
    cursor: &ChainCursor,
) -> Result<Vec<Claimed>, DomainError> {
    let limits = SplitLimits {
        max_parts: request.split.max_parts.saturating_sub(missing.parts),
        ..request.split
    };
    if limits.max_parts < 2 {
        return Ok(Vec::new());
    }
    let least_sun = limits.min_part_sun.max(1);
    let wallets = SupplierWallet::lock_largest(conn, least_sun, request.bandwidth, WALLETS).await?;
    share_in_tx(conn, ids, order, (request, limits), (cursor, wallets)).await
}

/// The wallets that hold stock for this pending order deliver it; none if by now they cannot. It is held no longer in either
/// case, and those that can be used are locked.
pub(super) async fn of_held_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    order: &Order,
    (request, held): (&ClaimRequest, &[StockHold]),
    cursor: &ChainCursor,
) -> Result<Vec<Claimed>, DomainError> {
    let mut wallets = take_in_tx(conn, held).await?;
    wallets.retain(SupplierWallet::takes_orders);
    share_in_tx(conn, ids, order, (request, request.split), (cursor, wallets)).await
}

/// One of these wallets, which the caller has locked, or several, deliver what is missing; none if they cannot.
async fn share_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    order: &Order,
    (request, limits): (&ClaimRequest, SplitLimits),
    (cursor, wallets): (&ChainCursor, Vec<SupplierWallet>),
) -> Result<Vec<Claimed>, DomainError> {
    let mut free = Free::of_in_tx(conn, wallets, &[order]).await?;
    let candidates: Vec<_> = free.candidates(order).collect();
    let shares = split(&candidates, request.wanted(), limits).and_then(|shares| energies(&shares, request));
    let mut claimed = Vec::new();
    for (wallet, amount_sun, energy) in shares.unwrap_or_default() {
        let wanted = Wanted {
            amount_sun,
            bandwidth: request.bandwidth,
        };
        let promised = free.promise(wallet, order, wanted, cursor);
        let (wallet, timestamp_ms) = promised.ok_or(DomainError::NotFound("wallet"))?;
        claimed.push(Claimed {
            order: order.clone(),
            wallet,
            delegation: DelegationId::new(ids),
            energy,
            amount_sun,
            timestamp_ms,
            cursor: cursor.clone(),
        });
    }
    free.reserve_in_tx(conn, request.now).await?;
    Ok(claimed)
}

/// The energy of each share of the stake, in proportion; the first has what rounding leaves. `None` if one had none.
fn energies(shares: &[(Uuid, i64)], request: &ClaimRequest) -> Option<Vec<(Uuid, i64, i64)>> {
    let part = |sun: i64| i128::from(request.energy) * i128::from(sun) / i128::from(request.amount_sun);
    let mut all = Vec::with_capacity(shares.len());
    for (wallet, sun) in shares {
        all.push((*wallet, *sun, i64::try_from(part(*sun)).ok()?));
    }
    let given: i64 = all.iter().map(|(_, _, energy)| energy).sum();
    all.first_mut()?.2 += request.energy - given;
    all.iter().all(|(_, _, energy)| *energy > 0).then_some(all)
}

/// What an open order lacks, in energy; 0 for one that has ended or lacks nothing. It may change at once.
///
/// # Errors
/// When the database cannot be asked.
pub async fn missing_energy(conn: &mut Conn, order: &Order) -> Result<i64, DomainError> {
    Ok(missing_of(conn, order).await?.energy)
}

/// Ends an order that lacks a part, past its deadline or since its receiver is `refused` for this reason: refunded, and the
/// parts that there are become strays. Answers whether it did.
///
/// # Errors
/// When the database fails.
pub async fn end_incomplete(
    pool: &Pool,
    ids: &dyn IdGen,
    (id, refused): (OrderId, Option<&str>),
    now: DateTime<Utc>,
) -> Result<bool, DomainError> {
    run_tx(pool, "end_incomplete_order", async |conn| {
        Delegation::lock_kept(conn, id.0).await?;
        let order = Order::lock(conn, id.0).await?.ok_or(DomainError::NotFound("order"))?;
        let lacks = missing_of(conn, &order).await?.energy > 0;
        let over = refused.is_some() || order.deadline_at <= now;
        if order.state != OrderState::Processing || !over || !lacks {
            return Ok(false);
        }
        fail_incomplete_in_tx(conn, ids, id, refused.unwrap_or("deadline_passed"), now).await?;
        Ok(true)
    })
    .await
}

/// Ends an order that is being processed and will not be delivered. The caller holds its row and those of its parts.
pub(super) async fn fail_incomplete_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    id: OrderId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    Delegation::abandon_parts(conn, id.0, now).await?;
    fail_in_tx(conn, ids, id, OrderState::Processing, reason, now).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(energy: i64, amount_sun: i64) -> ClaimRequest {
        ClaimRequest {
            order: OrderId(Uuid::nil()),
            delegation: DelegationId(Uuid::nil()),
            energy,
            amount_sun,
            bandwidth: 300,
            split: SplitLimits {
                max_parts: 5,
                min_part_sun: 1,
            },
            now: DateTime::UNIX_EPOCH,
        }
    }

    fn of(energy: i64, suns: &[i64]) -> Option<Vec<i64>> {
        let shares: Vec<_> = suns.iter().map(|sun| (Uuid::nil(), *sun)).collect();
        let all = energies(&shares, &request(energy, suns.iter().sum()))?;
        Some(all.into_iter().map(|(_, _, energy)| energy).collect())
    }

    #[test]
    fn the_parts_of_the_energy_are_those_of_the_stake_and_lose_nothing() {
        assert_eq!(of(100, &[1, 1]), Some(vec![50, 50]));
        assert_eq!(of(100, &[1, 1, 1]), Some(vec![34, 33, 33]));
        assert_eq!(of(1_000_000, &[7_000_000, 2_999_999, 1]), None, "no part is empty");
        let most = [i64::MAX / 4, i64::MAX / 4, i64::MAX / 4];
        assert_eq!(of(i64::MAX / 2, &most).unwrap().iter().sum::<i64>(), i64::MAX / 2);
    }
}
