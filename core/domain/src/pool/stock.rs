//! What the wallets have, read from the rows that their last reads left, and the alerts about it.

use std::collections::BTreeMap;

use chain::EnergyMarket;
use chrono::{DateTime, Utc};
use db::models::{ChainCursor, Delegation, Order, PoolFigures, SupplierWallet};
use db::{Conn, Pool, acquire};
use kernel::{IdGen, WalletId};
use serde_json::json;
use uuid::Uuid;

use super::forecast::{Ending, HOURS, Stock};
use super::level::Level;
use crate::DomainError;
use crate::findings::{self, FindingKind};

/// What the pool can sell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolNow {
    /// The network's exchange between stake and energy; `None` before a wallet was read.
    pub market: Option<EnergyMarket>,
    /// What can be lent and what comes back, of every wallet that takes orders.
    pub stock: Stock,
    /// The most that one order can have, in staked sun: of one wallet, or of as many as may share it.
    pub largest_sun: i64,
    /// When the figures of the wallet were read that was read longest ago; `None` where no wallet takes orders.
    pub read_at: Option<DateTime<Utc>>,
}

/// A wallet's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletStock {
    /// The wallet.
    pub wallet: SupplierWallet,
    /// What it can lend and what comes back, whether or not it takes orders now.
    pub stock: Stock,
}

/// The network's exchange, as the last read of a wallet left it.
pub(super) async fn market_in_tx(conn: &mut Conn, network: &str) -> Result<Option<EnergyMarket>, DomainError> {
    let cursor = ChainCursor::find(conn, network).await?;
    let known = cursor.filter(|cursor| cursor.total_energy_weight > 0);
    Ok(known.map(|cursor| EnergyMarket {
        total_limit: cursor.total_energy_limit,
        total_weight: cursor.total_energy_weight,
    }))
}

/// By what rules orders find their wallets.
#[derive(Debug, Clone, Copy)]
pub struct Sharing {
    /// Bandwidth points that one delegation costs.
    pub bandwidth: i64,
    /// Wallets that may share an order.
    pub max_parts: u32,
    /// The least energy that one of them gives.
    pub part_energy_min: i64,
}

/// What the pool can sell on a network now. A wallet short of bandwidth counts if it can burn TRX for a transaction.
///
/// # Errors
/// When the database cannot be asked.
pub async fn now(pool: &Pool, network: &str, sharing: Sharing, now: DateTime<Utc>) -> Result<PoolNow, DomainError> {
    let mut conn = acquire(pool).await?;
    let market = market_in_tx(&mut conn, network).await?;
    let least_sun = market.map_or(0, |market| market.about_sun(sharing.part_energy_min));
    let parts = (i64::from(sharing.max_parts), least_sun);
    let figures = PoolFigures::read(&mut conn, sharing.bandwidth, parts).await?;
    let endings = Delegation::endings_of_pool(&mut conn, network, now, HOURS).await?;
    Ok(PoolNow {
        market,
        stock: Stock {
            room_sun: figures.room_sun,
            occupied_sun: figures.occupied_sun,
            endings: endings.into_iter().map(ending).collect(),
        },
        largest_sun: figures.largest_sun,
        read_at: figures.read_at,
    })
}

/// The largest order that so much stake delivers, with the margin that is delegated on top; less by one unit than it might
/// be, so that an order for it fits however a node rounds.
#[must_use]
pub fn order_energy(sun: i64, margin_bps: u32, market: EnergyMarket) -> i64 {
    let without_margin = i128::from(sun) * 10_000 / (10_000 + i128::from(margin_bps));
    let energy = market.about_energy(i64::try_from(without_margin).unwrap_or(i64::MAX));
    energy.saturating_sub(1).max(0)
}

fn ending((hour, sun): (i64, i64)) -> Ending {
    Ending { hour, sun }
}

/// A page of supply wallets with their parts, in id order after `after`, and the network's exchange.
///
/// # Errors
/// When the database cannot be asked.
pub async fn wallets(
    pool: &Pool,
    network: &str,
    after: Option<WalletId>,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<(Option<EnergyMarket>, Vec<WalletStock>), DomainError> {
    let mut conn = acquire(pool).await?;
    let wallets = SupplierWallet::supply_page(&mut conn, after.map(|id| id.0), limit).await?;
    let ids: Vec<Uuid> = wallets.iter().map(|wallet| wallet.id).collect();
    let mut endings: BTreeMap<Uuid, Vec<Ending>> = BTreeMap::new();
    for (wallet, hour, sun) in Delegation::endings_of(&mut conn, network, &ids, now, HOURS).await? {
        endings.entry(wallet).or_default().push(Ending { hour, sun });
    }
    let mut part = |wallet: SupplierWallet| WalletStock {
        stock: Stock {
            room_sun: wallet.room_sun(),
            occupied_sun: wallet.staked_energy_sun.saturating_sub(wallet.delegatable_sun).max(0),
            endings: endings.remove(&wallet.id).unwrap_or_default(),
        },
        wallet,
    };
    let parts = wallets.into_iter().map(&mut part).collect();
    Ok((market_in_tx(&mut conn, network).await?, parts))
}

/// Below what there is an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockLimits {
    /// Energy that can be sold, over all wallets.
    pub low_energy: i64,
    /// TRX of one wallet, in sun.
    pub low_trx_sun: i64,
}

/// Looks at what is short, and says or takes back what it found.
///
/// # Errors
/// When the database fails.
pub async fn check_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    network: &str,
    limits: StockLimits,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let Some(market) = market_in_tx(conn, network).await? else {
        return Ok(()); // no wallet was ever read
    };
    if !Order::any_waiting_for(conn, network, "no_wallet_fits").await? {
        findings::clear_in_tx(conn, FindingKind::NoWalletFits, network, now).await?;
    }
    let energy = market.about_energy(SupplierWallet::sellable_sun(conn).await?);
    match Level::of(energy, limits.low_energy) {
        Level::Low => {
            let detail = json!({ "energy": energy, "alert_below": limits.low_energy });
            findings::record_in_tx(conn, ids, FindingKind::LowStock, network, detail, now).await?;
        }
        Level::Between => {}
        Level::Fine => findings::clear_in_tx(conn, FindingKind::LowStock, network, now).await?,
    }
    check_trx_in_tx(conn, ids, limits.low_trx_sun, now).await
}

/// Wallets that were read and take orders, or have lent something that has to be taken back.
async fn check_trx_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    low_sun: i64,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let mut not_fine = Vec::new();
    for (wallet, balance_sun) in SupplierWallet::balances_in_use(conn).await? {
        let subject = format!("wallet:{wallet}");
        let level = Level::of(balance_sun, low_sun);
        if level == Level::Fine {
            continue;
        }
        if level == Level::Low {
            let detail = json!({ "balance_sun": balance_sun, "alert_below_sun": low_sun });
            findings::record_in_tx(conn, ids, FindingKind::LowTrx, &subject, detail, now).await?;
        }
        not_fine.push(subject);
    }
    findings::clear_others_in_tx(conn, FindingKind::LowTrx, &not_fine, now).await
}
