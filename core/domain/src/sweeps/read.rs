//! Sweeps as they are shown, and what a worker needs to know of one.

use chrono::Duration;
use db::models::{
    ChainCursor, ChainTransaction, Order, SupplierWallet, Sweep, SweepEvent, SweepFilter, SweepState, Switch,
    receiving_treasury,
};
use db::{Pool, acquire};
use kernel::{Asset, SweepId};

use super::{EnergyStanding, SweepPolicy, asset_of};
use crate::DomainError;

/// A sweep that a worker is to look at.
#[derive(Debug, Clone)]
pub struct SweepWork {
    /// The sweep.
    pub sweep: Sweep,
    /// Of what.
    pub asset: Asset,
    /// The deposit address's wallet.
    pub wallet: SupplierWallet,
    /// What became of the energy that was ordered for it, while it has any.
    pub energy: Option<EnergyStanding>,
    /// Why nothing of it is done now.
    pub stopped: Option<&'static str>,
}

/// A sweep with all that happened to it.
#[derive(Debug, Clone)]
pub struct SweepDetail {
    /// The sweep.
    pub sweep: Sweep,
    /// What happened, oldest first.
    pub events: Vec<SweepEvent>,
    /// Everything that was signed for it, oldest first.
    pub transactions: Vec<ChainTransaction>,
}

/// What there is to do about a sweep; `None` where nothing is: it is on its way, or over. Energy counts as there if it lasts
/// for `life` from the newest block on, as long as what is signed may land.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn to_sweep(
    pool: &Pool,
    policy: &SweepPolicy,
    id: SweepId,
    life: Duration,
) -> Result<Option<SweepWork>, DomainError> {
    let mut conn = acquire(pool).await?;
    let sweep = Sweep::find(&mut conn, id.0).await?;
    let sweep = sweep.ok_or(DomainError::NotFound("sweep"))?;
    if !matches!(sweep.state, SweepState::Planned | SweepState::Renting) {
        return Ok(None);
    }
    let wallet = SupplierWallet::find(&mut conn, sweep.wallet_id).await?;
    let wallet = wallet.ok_or(DomainError::NotFound("wallet"))?;
    let energy = match sweep.order_id.filter(|_| sweep.state == SweepState::Renting) {
        None => None,
        Some(order) => {
            let order = Order::find(&mut conn, order).await?;
            let order = order.ok_or(DomainError::NotFound("order"))?;
            let cursor = ChainCursor::find(&mut conn, &sweep.network).await?;
            let cursor = cursor.ok_or(DomainError::NotFound("network"))?;
            Some(EnergyStanding::of(&order, cursor.head_time + life))
        }
    };
    let stopped = if policy.enabled {
        Switch::is_on(&mut conn, Switch::SWEEPS)
            .await?
            .then_some("sweeps_stopped")
    } else {
        Some("sweeps_disabled")
    };
    Ok(Some(SweepWork {
        asset: asset_of(&sweep)?,
        sweep,
        wallet,
        energy,
        stopped,
    }))
}

/// Where what is collected goes to; `None` while no treasury wallet can take it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn destination(
    pool: &Pool,
    policy: &SweepPolicy,
    asset: Asset,
) -> Result<Option<SupplierWallet>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(receiving_treasury(&mut conn, policy.to_address.as_deref(), asset == Asset::Usdt).await?)
}

/// A sweep with its timeline and its transactions.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn detail(pool: &Pool, id: SweepId) -> Result<SweepDetail, DomainError> {
    let mut conn = acquire(pool).await?;
    let sweep = Sweep::find(&mut conn, id.0).await?;
    Ok(SweepDetail {
        sweep: sweep.ok_or(DomainError::NotFound("sweep"))?,
        events: SweepEvent::of_sweep(&mut conn, id.0).await?,
        transactions: ChainTransaction::of_intents(&mut conn, &[id.0]).await?,
    })
}

/// Sweeps with the addresses that they collect from, newest first, before the sweep `before`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    pool: &Pool,
    filter: SweepFilter<'_>,
    before: Option<SweepId>,
    limit: i64,
) -> Result<Vec<(Sweep, Option<String>)>, DomainError> {
    let mut conn = acquire(pool).await?;
    let sweeps = Sweep::page(&mut conn, filter, before.map(|id| id.0), limit).await?;
    let wallets: Vec<_> = sweeps.iter().map(|sweep| sweep.wallet_id).collect();
    let addresses = SupplierWallet::addresses_of(&mut conn, &wallets).await?;
    let with_address = |sweep: Sweep| {
        let address = addresses.get(&sweep.wallet_id).cloned();
        (sweep, address)
    };
    Ok(sweeps.into_iter().map(with_address).collect())
}
