//! Stakings as they are shown, and what a worker needs to know of one.

use chrono::{DateTime, Utc};
use db::models::{ChainCursor, ChainTransaction, Staking, StakingEvent, StakingFilter, StakingState, SupplierWallet};
use db::{Pool, acquire};
use kernel::StakingId;

use crate::DomainError;

/// A staking that a worker is to look at.
#[derive(Debug, Clone)]
pub struct StakeWork {
    /// The staking.
    pub staking: Staking,
    /// Whose coin it is.
    pub wallet: SupplierWallet,
    /// The chain's time, by the newest block that is applied.
    pub head_time: DateTime<Utc>,
}

/// A staking with all that happened to it.
#[derive(Debug, Clone)]
pub struct StakingDetail {
    /// The staking.
    pub staking: Staking,
    /// The wallet's address.
    pub address: Option<String>,
    /// What happened, oldest first.
    pub events: Vec<StakingEvent>,
    /// Everything that was signed for it, oldest first.
    pub transactions: Vec<ChainTransaction>,
}

/// What there is to do about a staking; `None` where nothing is: it is on its way, or over.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn to_stake(pool: &Pool, id: StakingId) -> Result<Option<StakeWork>, DomainError> {
    let mut conn = acquire(pool).await?;
    let staking = Staking::find(&mut conn, id.0).await?;
    let staking = staking.ok_or(DomainError::NotFound("staking"))?;
    if staking.state != StakingState::Requested {
        return Ok(None);
    }
    let wallet = SupplierWallet::find(&mut conn, staking.wallet_id).await?;
    let cursor = ChainCursor::find(&mut conn, &staking.network).await?;
    Ok(Some(StakeWork {
        wallet: wallet.ok_or(DomainError::NotFound("wallet"))?,
        head_time: cursor.ok_or(DomainError::NotFound("network"))?.head_time,
        staking,
    }))
}

/// A staking with its timeline and its transactions.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn detail(pool: &Pool, id: StakingId) -> Result<StakingDetail, DomainError> {
    let mut conn = acquire(pool).await?;
    let staking = Staking::find(&mut conn, id.0).await?;
    let staking = staking.ok_or(DomainError::NotFound("staking"))?;
    let wallet = SupplierWallet::find(&mut conn, staking.wallet_id).await?;
    Ok(StakingDetail {
        staking,
        address: wallet.and_then(|wallet| wallet.address),
        events: StakingEvent::of_staking(&mut conn, id.0).await?,
        transactions: ChainTransaction::of_intents(&mut conn, &[id.0]).await?,
    })
}

/// Stakings with the addresses of their wallets, newest first, before the staking `before`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    pool: &Pool,
    filter: StakingFilter,
    before: Option<StakingId>,
    limit: i64,
) -> Result<Vec<(Staking, Option<String>)>, DomainError> {
    let mut conn = acquire(pool).await?;
    let stakings = Staking::page(&mut conn, filter, before.map(|id| id.0), limit).await?;
    let wallets: Vec<_> = stakings.iter().map(|staking| staking.wallet_id).collect();
    let addresses = SupplierWallet::addresses_of(&mut conn, &wallets).await?;
    let with_address = |staking: Staking| {
        let address = addresses.get(&staking.wallet_id).cloned();
        (staking, address)
    };
    Ok(stakings.into_iter().map(with_address).collect())
}

/// Stake for energy that is on its way to any wallet, in sun.
///
/// # Errors
/// When the database cannot be asked.
pub async fn coming_energy_sun(pool: &Pool, network: &str) -> Result<i64, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(Staking::coming_energy_sun(&mut conn, network).await?)
}
