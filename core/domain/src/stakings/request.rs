//! Asking for a staking: what may be staked and unstaked by our figures, how much of it in a day, and the row with its job.

use chrono::{DateTime, Duration, Utc};
use db::Conn;
use db::models::{
    NewStaking, StakeResource, Staking, StakingAction, StakingSource, StakingState, SupplierWallet, WalletPurpose,
    WalletState,
};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::{Amount, StakingId};
use serde_json::json;

use super::note_in_tx;
use crate::DomainError;

/// Nodes take no stake below this, and we unstake no less.
const TRX: i64 = 1_000_000;

/// The bounds that a staking is held to, whoever asks for it.
#[derive(Debug, Clone)]
pub struct StakeRules {
    /// Where it happens.
    pub network: String,
    /// Coin that stays in a wallet, in sun.
    pub reserve_sun: i64,
    /// What may be staked from one wallet in 24 hours, and as much may be unstaked, in sun.
    pub wallet_day_sun: i64,
    /// The same for all wallets together.
    pub all_day_sun: i64,
}

/// What is to be done with a wallet's coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StakeWish {
    /// So much coin becomes stake.
    Stake(StakeResource, Amount),
    /// So much stake begins to wait until it is coin.
    Unstake(StakeResource, Amount),
    /// All that has waited long enough becomes coin.
    Withdraw,
    /// All that still waits becomes stake again.
    Cancel,
}

impl StakeWish {
    /// The stored word.
    #[must_use]
    pub const fn action(self) -> StakingAction {
        match self {
            Self::Stake(..) => StakingAction::Stake,
            Self::Unstake(..) => StakingAction::Unstake,
            Self::Withdraw => StakingAction::Withdraw,
            Self::Cancel => StakingAction::Cancel,
        }
    }

    /// Of what, and how much; `None` where the chain decides.
    #[must_use]
    pub const fn amount(self) -> Option<(StakeResource, Amount)> {
        match self {
            Self::Stake(resource, amount) | Self::Unstake(resource, amount) => Some((resource, amount)),
            Self::Withdraw | Self::Cancel => None,
        }
    }
}

/// What stands against a staking by our figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StakeRefusal {
    /// Treasury wallets and deposit addresses are not staked.
    #[error("only a wallet that lends is staked")]
    NotSupply,
    /// No read of the chain says what it has.
    #[error("the wallet was not read from the chain yet")]
    Unread,
    /// Less than the chain takes.
    #[error("at least 1 TRX is staked or unstaked")]
    TooLittle,
    /// The wallet has less coin, what stays in it left out.
    #[error("only {free} TRX of this wallet are free to be staked")]
    BalanceShort {
        /// What could be staked.
        free: Amount,
    },
    /// The rest of the stake is lent, promised, or not there.
    #[error("only {free} TRX of this wallet's stake are neither lent nor promised")]
    StakeShort {
        /// What could be unstaked.
        free: Amount,
    },
    /// More than may be done in a day.
    #[error("only {left} TRX more may be so moved in 24 hours, by the limit of {of}")]
    DayLimit {
        /// Whose limit.
        of: &'static str,
        /// What is left of it.
        left: Amount,
    },
    /// The wallet has an open one of this action.
    #[error("the wallet has an open staking of this kind already")]
    Open,
}

/// How much there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StakeRoom {
    /// What the wallet has for it, in sun.
    pub free_sun: i64,
    /// What is left of the wallet's limit of a day, in sun.
    pub wallet_left_sun: i64,
    /// What is left of the limit of all wallets, in sun.
    pub all_left_sun: i64,
}

impl StakeRoom {
    /// The most that can be asked for now, in sun.
    #[must_use]
    pub fn most_sun(&self) -> i64 {
        self.free_sun.min(self.wallet_left_sun).min(self.all_left_sun)
    }

    /// # Errors
    /// What stands against so much.
    fn check(&self, wish: StakeWish) -> Result<(), StakeRefusal> {
        let Some((_, amount)) = wish.amount() else {
            return Ok(());
        };
        if amount.minor() < TRX {
            return Err(StakeRefusal::TooLittle);
        }
        if amount.minor() > self.free_sun {
            let free = whole(self.free_sun);
            return Err(match wish.action() {
                StakingAction::Unstake => StakeRefusal::StakeShort { free },
                _ => StakeRefusal::BalanceShort { free },
            });
        }
        for (of, left) in [("one wallet", self.wallet_left_sun), ("all wallets", self.all_left_sun)] {
            if amount.minor() > left {
                let left = whole(left);
                return Err(StakeRefusal::DayLimit { of, left });
            }
        }
        Ok(())
    }
}

fn whole(sun: i64) -> Amount {
    Amount::from_minor(sun.max(0)).unwrap_or_default()
}

/// What there is room for, by the wallet's last read less what that cannot show, and by what was asked for in a day. `None`
/// where the chain decides how much. Takes the lock of the limits: whoever comes meanwhile waits.
///
/// # Errors
/// [`DomainError::StakeRefused`] where nothing of this kind can be asked for at all; when the database fails.
pub(crate) async fn room_in_tx(
    conn: &mut Conn,
    rules: &StakeRules,
    (wallet, wish): (&SupplierWallet, StakeWish),
    now: DateTime<Utc>,
) -> Result<Option<StakeRoom>, DomainError> {
    let action = wish.action();
    if wallet.purpose != WalletPurpose::Supply {
        return Err(StakeRefusal::NotSupply.into());
    }
    if wallet.state != WalletState::Active {
        return Err(DomainError::WalletNotActive);
    }
    Staking::lock_limits(conn).await?;
    if Staking::any_open(conn, wallet.id, action).await? {
        return Err(StakeRefusal::Open.into());
    }
    let Some((resource, _)) = wish.amount() else {
        return Ok(None);
    };
    if wallet.synced_at.is_none() {
        return Err(StakeRefusal::Unread.into());
    }
    let (day, what) = (now - Duration::hours(24), (rules.network.as_str(), action));
    let by_wallet = Staking::asked_since(conn, what, Some(wallet.id), day).await?;
    let by_all = Staking::asked_since(conn, what, None, day).await?;
    Ok(Some(StakeRoom {
        free_sun: free_sun(conn, rules, wallet, (action, resource)).await?.max(0),
        wallet_left_sun: rules.wallet_day_sun.saturating_sub(by_wallet).max(0),
        all_left_sun: rules.all_day_sun.saturating_sub(by_all).max(0),
    }))
}

async fn free_sun(
    conn: &mut Conn,
    rules: &StakeRules,
    wallet: &SupplierWallet,
    (action, resource): (StakingAction, StakeResource),
) -> Result<i64, DomainError> {
    let staking = action == StakingAction::Stake;
    // what is staked takes coin, whatever it is staked for; of stake for energy what is unstaked is reserved already
    let of = (action, (!staking).then_some(resource));
    let unseen = Staking::unseen_sun(conn, wallet.id, of, wallet.synced_block).await?;
    Ok(match (staking, resource) {
        (true, _) => wallet
            .balance_sun
            .saturating_sub(rules.reserve_sun)
            .saturating_sub(unseen),
        (false, StakeResource::Energy) => wallet.staked_energy_sun.saturating_sub(wallet.reserved_sun),
        (false, StakeResource::Bandwidth) => wallet.staked_bandwidth_sun.saturating_sub(unseen),
    })
}

/// In whose name, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) source: StakingSource,
    pub(crate) actor: &'a str,
    /// In words, at most 500 characters.
    pub(crate) reason: &'a str,
}

/// Makes a staking with its job, if our figures and the limits allow it. Answers it, what there was room for, and the wake to
/// push after the commit.
///
/// # Errors
/// [`DomainError::StakeRefused`] and [`DomainError::WalletNotActive`], before anything is written; when the database fails.
pub(crate) async fn request_in_tx(
    conn: &mut Conn,
    (id, rules): (StakingId, &StakeRules),
    (wallet, wish): (&SupplierWallet, StakeWish),
    origin: Origin<'_>,
    now: DateTime<Utc>,
) -> Result<(Staking, Option<StakeRoom>, Option<Wake>), DomainError> {
    let room = checked_room_in_tx(conn, rules, (wallet, wish), now).await?;
    let amount = wish.amount();
    let new = NewStaking {
        id: id.0,
        network: &rules.network,
        wallet_id: wallet.id,
        action: wish.action(),
        resource: amount.map(|(resource, _)| resource),
        amount_sun: amount.map(|(_, amount)| amount.minor()),
        state: StakingState::Requested,
        source: origin.source,
        requested_by: origin.actor,
        reason: origin.reason,
        created_at: now,
        updated_at: now,
    };
    let made = new.insert_if_none_open(conn).await?;
    let staking = made.ok_or(StakeRefusal::Open)?;
    let detail = json!({
        "address": wallet.address, "action": staking.action, "resource": staking.resource, "amount_sun": staking.amount_sun,
        "reason": origin.reason,
    });
    let state = StakingState::Requested;
    note_in_tx(conn, (id.0, state), "requested", origin.actor, detail, now).await?;
    let job = JobRequest {
        kind: JobKind::WalletsStake,
        object_id: &id.to_string(),
        run_at: now,
        now,
    };
    let wake = enqueue_in_tx(conn, job).await?;
    Ok((staking, room, wake))
}

/// What there is room for, if it is enough.
///
/// # Errors
/// [`DomainError::StakeRefused`] and [`DomainError::WalletNotActive`]; when the database fails.
pub(crate) async fn checked_room_in_tx(
    conn: &mut Conn,
    rules: &StakeRules,
    (wallet, wish): (&SupplierWallet, StakeWish),
    now: DateTime<Utc>,
) -> Result<Option<StakeRoom>, DomainError> {
    let room = room_in_tx(conn, rules, (wallet, wish), now).await?;
    if let Some(room) = &room {
        room.check(wish)?;
    }
    Ok(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trx(whole: i64) -> Amount {
        Amount::from_minor(whole * TRX).unwrap()
    }

    #[test]
    fn the_first_bound_that_is_hit_is_named_with_what_it_leaves() {
        let room = StakeRoom {
            free_sun: 50 * TRX,
            wallet_left_sun: 40 * TRX,
            all_left_sun: 30 * TRX,
        };
        let energy = StakeResource::Energy;
        let stake = |sun| room.check(StakeWish::Stake(energy, Amount::from_minor(sun).unwrap()));
        assert_eq!(stake(TRX - 1), Err(StakeRefusal::TooLittle));
        assert_eq!(stake(TRX), Ok(()));
        assert_eq!(stake(30 * TRX), Ok(()));
        let of_all = StakeRefusal::DayLimit {
            of: "all wallets",
            left: trx(30),
        };
        assert_eq!(stake(30 * TRX + 1), Err(of_all));
        let of_one = StakeRefusal::DayLimit {
            of: "one wallet",
            left: trx(40),
        };
        assert_eq!(stake(40 * TRX + 1), Err(of_one));
        assert_eq!(stake(50 * TRX + 1), Err(StakeRefusal::BalanceShort { free: trx(50) }));
        assert_eq!(
            room.check(StakeWish::Unstake(energy, trx(51))),
            Err(StakeRefusal::StakeShort { free: trx(50) })
        );
        assert_eq!(room.check(StakeWish::Withdraw), Ok(()));
        assert_eq!(room.most_sun(), 30 * TRX);
    }
}
