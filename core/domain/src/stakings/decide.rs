//! Whether a staking can be signed by what the chain says now. Pure: the same facts always give the same answer. Nodes would
//! refuse what is found here; it is said before anything is signed.

use chain::WalletSnapshot;
use chrono::{DateTime, Utc};
use db::models::{StakeResource, Staking, StakingAction};

/// Stakes that may wait at once to be coin again.
pub const MAX_UNFREEZING: usize = 32;

/// What a wallet has, by one read of the chain. All in sun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StakeFacts {
    /// Coin.
    pub balance_sun: i64,
    /// Stake for energy that is not lent.
    pub energy_sun: i64,
    /// Stake for bandwidth that is not lent.
    pub bandwidth_sun: i64,
    /// Stake for energy that is lent.
    pub lent_sun: i64,
    /// What has waited long enough to be coin.
    pub ready_sun: i64,
    /// What still waits.
    pub waiting_sun: i64,
    /// In how many parts it waits.
    pub waiting: usize,
}

impl StakeFacts {
    /// What a read says, at this time of the chain.
    #[must_use]
    pub fn of(snapshot: &WalletSnapshot, at: DateTime<Utc>) -> Self {
        let (mut ready_sun, mut waiting_sun, mut waiting) = (0_i64, 0_i64, 0);
        for entry in &snapshot.unfreezing {
            if entry.ready_at <= at {
                ready_sun = ready_sun.saturating_add(entry.amount_sun);
            } else {
                waiting_sun = waiting_sun.saturating_add(entry.amount_sun);
                waiting += 1;
            }
        }
        Self {
            balance_sun: snapshot.balance_sun,
            energy_sun: snapshot.staked_energy_sun,
            bandwidth_sun: snapshot.staked_bandwidth_sun,
            lent_sun: snapshot.delegated_energy_sun,
            ready_sun,
            waiting_sun,
            waiting,
        }
    }

    /// All that is the wallet's, in whatever form.
    #[must_use]
    pub fn all_sun(&self) -> i64 {
        let parts = [
            self.balance_sun,
            self.energy_sun,
            self.bandwidth_sun,
            self.lent_sun,
            self.ready_sun,
            self.waiting_sun,
        ];
        parts.into_iter().fold(0, i64::saturating_add)
    }

    /// What a staking without an amount of its own moves.
    pub(super) const fn moved_sun(&self, action: StakingAction) -> Option<i64> {
        match action {
            StakingAction::Stake | StakingAction::Unstake => None,
            StakingAction::Withdraw => Some(self.ready_sun),
            StakingAction::Cancel => Some(self.waiting_sun),
        }
    }
}

/// Why a staking cannot be signed, if it cannot. `reserved_sun` is stake for energy that the read may show and that is promised
/// or on its way; `reserve_sun` is coin that stays.
#[must_use]
pub fn unmet(staking: &Staking, facts: &StakeFacts, reserved_sun: i64, reserve_sun: i64) -> Option<&'static str> {
    let amount = staking.amount_sun.unwrap_or(0);
    let energy = staking.resource == Some(StakeResource::Energy);
    match staking.action {
        StakingAction::Stake => (facts.balance_sun.saturating_sub(reserve_sun) < amount).then_some("balance_short"),
        StakingAction::Unstake if facts.waiting >= MAX_UNFREEZING => Some("too_many_waiting"),
        StakingAction::Unstake if energy => {
            (facts.energy_sun.saturating_sub(reserved_sun) < amount).then_some("stake_lent")
        }
        StakingAction::Unstake => (facts.bandwidth_sun < amount).then_some("stake_short"),
        StakingAction::Withdraw => (facts.ready_sun <= 0).then_some("nothing_ready"),
        StakingAction::Cancel => (facts.waiting_sun <= 0).then_some("nothing_waits"),
    }
}

#[cfg(test)]
mod tests;
