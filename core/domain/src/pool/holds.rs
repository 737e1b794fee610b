//! Stock that quotes hold: stake set aside for the order that may come. As long as it is held it counts as promised, so
//! nobody else gets it. It is held until its order is claimed or ends, and where nobody orders until the quote is over.
//!
//! Lock order: order, wallets, what is held of them.

use chain::EnergyMarket;
use chrono::{DateTime, Utc};
use db::models::{PriceQuote, StockHold, SupplierWallet};
use db::{Conn, Pool, run_tx};
use uuid::Uuid;

use super::stock::{Sharing, market_in_tx};
use crate::DomainError;
use crate::delegations::choice::{Candidate, SplitLimits, Wanted, split};

const BPS: i128 = 10_000;
/// Held beyond what is needed now, in 1/100 %: by the time it is signed energy may cost a little more stake.
const DRIFT_BPS: i128 = 10;
/// The least that can be delegated: 1 TRX.
const LEAST_SUN: i64 = 1_000_000;
/// Wallets looked at where none can carry it alone, those with the most room first.
const WALLETS: i64 = 64;

/// How quotes hold stock.
#[derive(Debug, Clone, Copy)]
pub struct HoldRules {
    /// By what rules an order finds its wallets.
    pub sharing: Sharing,
    /// Stake delegated on top, in 1/100 %.
    pub margin_bps: u32,
    /// The most energy that quotes of one API key hold at a time, as long as it is not ordered; 0: none hold any.
    pub energy_max: i64,
}

/// Sets aside what an order on this quote will need: of the wallet that would be chosen for it, or of several.
///
/// # Errors
/// [`DomainError::NoStock`] where so much is not free, [`DomainError::HeldTooMuch`] where its key holds too much already.
pub(crate) async fn hold_in_tx(
    conn: &mut Conn,
    (quote, network): (&PriceQuote, &str),
    rules: &HoldRules,
) -> Result<(), DomainError> {
    StockHold::lock_of_key(conn, quote.api_key_id).await?;
    let held = StockHold::energy_of_key(conn, quote.api_key_id).await?;
    if quote.energy > rules.energy_max.saturating_sub(held) {
        return Err(DomainError::HeldTooMuch { max: rules.energy_max });
    }
    let market = market_in_tx(conn, network).await?.ok_or(DomainError::NoStock)?;
    let shares = find_in_tx(conn, quote.energy, rules, market).await?;
    let holds: Vec<StockHold> = shares
        .iter()
        .map(|(wallet, amount_sun)| StockHold {
            quote_id: quote.id,
            wallet_id: *wallet,
            amount_sun: *amount_sun,
        })
        .collect();
    Ok(StockHold::insert_many(conn, &holds).await?)
}

/// The wallets, locked, and how much of each.
async fn find_in_tx(
    conn: &mut Conn,
    energy: i64,
    rules: &HoldRules,
    market: EnergyMarket,
) -> Result<Vec<(Uuid, i64)>, DomainError> {
    let Sharing {
        bandwidth,
        max_parts,
        part_energy_min,
    } = rules.sharing;
    let sun = |energy| stake_for(energy, rules.margin_bps, market).ok_or(DomainError::NoStock);
    let (amount_sun, min_part_sun) = (sun(energy)?, sun(part_energy_min)?);
    // nobody's order, and to no wallet of ours
    if let Some(wallet) = SupplierWallet::choose(conn, (Uuid::nil(), ""), amount_sun, bandwidth).await? {
        return Ok(vec![(wallet.id, amount_sun)]);
    }
    let wallets = SupplierWallet::lock_largest(conn, min_part_sun, bandwidth, WALLETS).await?;
    let candidates: Vec<Candidate> = wallets.iter().map(candidate).collect();
    let wanted = Wanted { amount_sun, bandwidth };
    let limits = SplitLimits {
        max_parts: usize::try_from(max_parts).unwrap_or(usize::MAX),
        min_part_sun,
    };
    split(&candidates, wanted, limits).ok_or(DomainError::NoStock)
}

fn candidate(wallet: &SupplierWallet) -> Candidate {
    Candidate {
        wallet: wallet.id,
        room_sun: wallet.room_sun(),
        bandwidth: wallet.bandwidth_available,
        can_burn: wallet.can_burn(),
        tried: false,
        serves: false,
    }
}

/// The stake that gives so much energy with the margin, and a little more; `None` where there is none.
fn stake_for(energy: i64, margin_bps: u32, market: EnergyMarket) -> Option<i64> {
    let exact = i128::from(market.about_sun(energy));
    let with_margin = exact * (BPS + i128::from(margin_bps) + DRIFT_BPS) / BPS + 1;
    let sun = i64::try_from(with_margin).ok()?;
    (exact > 0).then_some(sun.max(LEAST_SUN))
}

/// Gives back what is held for these orders, whose rows the caller holds.
pub(crate) async fn release_in_tx(conn: &mut Conn, orders: &[Uuid]) -> Result<(), DomainError> {
    let held = StockHold::of_orders(conn, orders).await?;
    let holds: Vec<StockHold> = held.into_iter().map(|held| held.hold).collect();
    take_in_tx(conn, &holds).await.map(drop)
}

/// Gives back what quotes hold that are over and that nobody used, at most `limit` times.
///
/// # Errors
/// When the database fails.
pub async fn release_unused(pool: &Pool, limit: i64, now: DateTime<Utc>) -> Result<(), DomainError> {
    run_tx(pool, "release_unused_holds", async |conn| {
        let holds = StockHold::unused(conn, now, limit).await?;
        take_in_tx(conn, &holds).await.map(drop)
    })
    .await
}

/// Ends these holds. Answers their wallets, locked: what was held of them is free for whoever has the lock.
pub(crate) async fn take_in_tx(conn: &mut Conn, holds: &[StockHold]) -> Result<Vec<SupplierWallet>, DomainError> {
    if holds.is_empty() {
        return Ok(Vec::new());
    }
    let wallets: Vec<Uuid> = holds.iter().map(|hold| hold.wallet_id).collect();
    let quotes: Vec<Uuid> = holds.iter().map(|hold| hold.quote_id).collect();
    SupplierWallet::lock_many(conn, &wallets).await?;
    StockHold::remove(conn, &quotes).await?;
    Ok(SupplierWallet::lock_many(conn, &wallets).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_more_is_held_than_is_delegated() {
        let market = EnergyMarket {
            total_limit: 180_000_000_000,
            total_weight: 19_000_000_000,
        };
        // 65,000 units take 6,861.1 TRX; with 1 % and a tenth of one percent 6,936,583,333 sun
        assert_eq!(market.about_sun(65_000), 6_861_111_112);
        assert_eq!(stake_for(65_000, 100, market), Some(6_936_583_335));
        assert_eq!(stake_for(1, 100, market), Some(LEAST_SUN));
        let unread = EnergyMarket {
            total_limit: 0,
            total_weight: 0,
        };
        assert_eq!(stake_for(65_000, 100, unread), None);
        assert_eq!(stake_for(i64::MAX, 5_000, market), None);
    }
}
