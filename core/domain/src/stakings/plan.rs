//! The policy: what has waited is taken back, every wallet has stake enough for the bytes of its day, and while little energy is
//! left to be sold, coin above the share that stays liquid is staked for it. Within the same limits as operators.

use chrono::{DateTime, Duration, Utc};
use db::models::{ChainCursor, StakeResource, Staking, StakingAction, StakingSource, SupplierWallet, lending_ids};
use db::{Conn, Pool, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_many_in_tx};
use kernel::{Amount, IdGen, StakingId, WalletId};

use super::request::{Origin, request_in_tx, room_in_tx};
use super::{StakeFacts, StakeRules, StakeWish};
use crate::intents::is_current;
use crate::{DomainError, WORKER};

/// Stake counts in whole TRX.
const TRX: i64 = 1_000_000;
/// Basis points in one.
const BPS: i128 = 10_000;

/// How supplier wallets are staked without being asked.
#[derive(Debug, Clone)]
pub struct StakePolicy {
    /// Whether they are at all.
    pub enabled: bool,
    /// What every staking is held to.
    pub rules: StakeRules,
    /// Of all that is a wallet's, the share that stays coin, in 1/100 %.
    pub liquid_bps: u32,
    /// Less is not staked for energy, in sun.
    pub least_sun: i64,
    /// Transactions of a day that a wallet's stake for bandwidth pays.
    pub transactions_per_day: i64,
    /// An operator is told where less is left than so many take.
    pub warn_transactions: i64,
    /// For how long nothing of a kind is planned for a wallet after one came to nothing.
    pub failure_pause: Duration,
}

/// What is known of a wallet when it is planned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanFacts {
    /// What it has.
    pub stake: StakeFacts,
    /// The head just before that was read.
    pub as_of_block: i64,
    /// Stake for bandwidth that the transactions of a day lack, in sun.
    pub bandwidth_missing_sun: i64,
    /// Whether less energy can be sold than should be, what is on its way counted in.
    pub stock_low: bool,
}

/// What one look at a wallet planned.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// The stakings made.
    pub made: Vec<StakingAction>,
    /// To be pushed after the commit.
    pub wakes: Vec<Wake>,
}

/// What the policy wants, each with its reason, before limits and what is open already. Bandwidth comes first: without it each
/// transaction of the wallet burns coin.
#[must_use]
pub fn wishes(facts: &PlanFacts, policy: &StakePolicy) -> Vec<(StakeWish, &'static str)> {
    let mut wanted = Vec::new();
    let stake = &facts.stake;
    if stake.ready_sun > 0 {
        wanted.push((StakeWish::Withdraw, "its waiting time is over"));
    }
    let spare = stake.balance_sun.saturating_sub(policy.rules.reserve_sun);
    if facts.bandwidth_missing_sun > 0 {
        let amount = whole_trx(facts.bandwidth_missing_sun.min(spare));
        let wish = amount.map(|amount| StakeWish::Stake(StakeResource::Bandwidth, amount));
        wanted.extend(wish.map(|wish| (wish, "bandwidth for the transactions of a day")));
    } else if facts.stock_low {
        let above = stake.balance_sun.saturating_sub(liquid_sun(stake, policy));
        let amount = whole_trx(above).filter(|amount| amount.minor() >= policy.least_sun);
        let wish = amount.map(|amount| StakeWish::Stake(StakeResource::Energy, amount));
        wanted.extend(wish.map(|wish| (wish, "little energy is left to be sold")));
    }
    wanted
}

/// Coin that stays: the share, rounded up, and at least the reserve.
fn liquid_sun(stake: &StakeFacts, policy: &StakePolicy) -> i64 {
    let share = i128::from(stake.all_sun()) * i128::from(policy.liquid_bps);
    let share = i64::try_from((share + BPS - 1) / BPS).unwrap_or(i64::MAX);
    share.max(policy.rules.reserve_sun)
}

/// Rounded down; `None` where nothing is left.
fn whole_trx(sun: i64) -> Option<Amount> {
    let whole = sun / TRX * TRX;
    (whole > 0).then(|| Amount::from_minor(whole).ok()).flatten()
}

/// Asks for a look at every wallet that takes orders, spread evenly over `spread`; answers the wakes to push.
///
/// # Errors
/// When the database fails.
pub async fn plan_all(pool: &Pool, spread: Duration, now: DateTime<Utc>) -> Result<Vec<Wake>, DomainError> {
    run_tx(pool, "ask_for_stake_plans", async |conn| {
        let ids: Vec<String> = lending_ids(conn).await?.iter().map(ToString::to_string).collect();
        let count = i32::try_from(ids.len().max(1)).unwrap_or(i32::MAX);
        let requests: Vec<JobRequest<'_>> = (0_i32..)
            .zip(&ids)
            .map(|(n, id)| JobRequest {
                kind: JobKind::WalletsPlanStakes,
                object_id: id,
                run_at: now + spread / count * n,
                now,
            })
            .collect();
        Ok(enqueue_many_in_tx(conn, &requests).await?)
    })
    .await
}

/// Makes the stakings that the policy wants for a wallet, as far as the limits of a day go. A wallet with an open staking of a
/// kind gets no other of it, so that several looks make each once.
///
/// # Errors
/// When the database fails; nothing is written then.
pub async fn plan_wallet(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &StakePolicy,
    (wallet, facts): (WalletId, &PlanFacts),
    now: DateTime<Utc>,
) -> Result<Planned, DomainError> {
    let wanted = wishes(facts, policy);
    if !policy.enabled || wanted.is_empty() {
        return Ok(Planned::default());
    }
    run_tx(pool, "plan_stakes", async |conn| {
        let mut planned = Planned::default();
        let network = &policy.rules.network;
        let cursor = ChainCursor::find(conn, network).await?;
        // a node that lags may show coin that was staked before
        let behind = cursor.is_none_or(|cursor| facts.as_of_block < cursor.solid_number);
        let wallet = SupplierWallet::find(conn, wallet.0).await?;
        let wallet = wallet.ok_or(DomainError::NotFound("wallet"))?;
        if behind || !wallet.takes_orders() || !is_current(conn, network).await? {
            return Ok(planned);
        }
        for (wish, reason) in &wanted {
            let made = plan_in_tx(conn, ids, policy, (&wallet, *wish, reason), now).await?;
            planned.made.extend(made.as_ref().map(|_| wish.action()));
            planned.wakes.extend(made.flatten());
        }
        Ok(planned)
    })
    .await
}

/// Answers the wake of what was made; `None` where nothing was.
async fn plan_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    policy: &StakePolicy,
    (wallet, wish, reason): (&SupplierWallet, StakeWish, &str),
    now: DateTime<Utc>,
) -> Result<Option<Option<Wake>>, DomainError> {
    let since = now - policy.failure_pause;
    if Staking::any_failed_since(conn, wallet.id, wish.action(), since).await? {
        return Ok(None);
    }
    let room = match room_in_tx(conn, &policy.rules, (wallet, wish), now).await {
        Ok(room) => room,
        Err(DomainError::StakeRefused(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let most_sun = room.map_or(i64::MAX, |room| room.most_sun());
    let Some(wish) = within(wish, most_sun, policy) else {
        return Ok(None);
    };
    let origin = Origin {
        source: StakingSource::Policy,
        actor: WORKER,
        reason,
    };
    let new = (StakingId::new(ids), &policy.rules);
    let (_, _, wake) = request_in_tx(conn, new, (wallet, wish), origin, now).await?;
    Ok(Some(wake))
}

/// The wish cut to what there is room for; `None` where that is not worth a transaction.
fn within(wish: StakeWish, most_sun: i64, policy: &StakePolicy) -> Option<StakeWish> {
    let StakeWish::Stake(resource, amount) = wish else {
        return Some(wish);
    };
    let least = match resource {
        StakeResource::Energy => policy.least_sun,
        StakeResource::Bandwidth => TRX,
    };
    let amount = whole_trx(amount.minor().min(most_sun)).filter(|amount| amount.minor() >= least);
    amount.map(|amount| StakeWish::Stake(resource, amount))
}

#[cfg(test)]
mod tests;
