//! Whether a read of a supplier wallet shows less than can be explained: somebody else may hold its key.
//!
//! Coin leaves a supplier wallet by fees of our own transactions, and in no other way of ours: stake, unstake and
//! delegation move it from one pocket to another. So what it has in all may fall by those fees alone, and its stake by what
//! we unstaked. What the wallet's owner moves by hand looks the same as a theft, and is meant to: he is told, and releases it.

use chain::WalletSnapshot;
use db::models::{Spent, WalletBaseline};

/// What a transaction that may have landed unseen may have burned, in sun: a delegation takes about a third of it.
const FEE_AT_MOST: i64 = 1_000_000;
/// Less than this is not worth an alarm, in sun.
const SLACK: i64 = 1_000_000;

/// What is missing, in sun.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shortfall {
    /// Of all its coin.
    pub(super) coin_sun: i64,
    /// Of its stake for energy.
    pub(super) energy_sun: i64,
    /// Of its stake for bandwidth.
    pub(super) bandwidth_sun: i64,
}

impl Shortfall {
    /// What of a baseline is not in this read, and was not spent since.
    pub(super) fn of(base: &WalletBaseline, seen: &WalletSnapshot, spent: Spent) -> Self {
        let explained = spent
            .fees_sun
            .saturating_add(spent.in_flight.saturating_mul(FEE_AT_MOST));
        let missing = |had: i64, has: i64, explained: i64| {
            let missing = had.saturating_sub(has).saturating_sub(explained);
            if missing >= SLACK { missing } else { 0 }
        };
        Self {
            coin_sun: missing(base.coin_sun, seen.coin_sun(), explained),
            energy_sun: missing(base.energy_sun, seen.energy_stake_sun(), 0),
            bandwidth_sun: missing(base.bandwidth_sun, seen.bandwidth_stake_sun(), 0),
        }
    }

    /// What is missing still when so much of each stake may have been given up by us.
    pub(super) fn less_unstaked(self, energy_sun: i64, bandwidth_sun: i64) -> Self {
        let still = |missing: i64, unstaked: i64| {
            let missing = missing.saturating_sub(unstaked);
            if missing >= SLACK { missing } else { 0 }
        };
        Self {
            energy_sun: still(self.energy_sun, energy_sun),
            bandwidth_sun: still(self.bandwidth_sun, bandwidth_sun),
            ..self
        }
    }

    /// Whether nothing is missing.
    pub(super) const fn is_none(self) -> bool {
        self.coin_sun == 0 && self.energy_sun == 0 && self.bandwidth_sun == 0
    }
}

#[cfg(test)]
mod tests {
    use chain::{EnergyMarket, Resource, Unfreezing};

    use super::*;

    const TRX: i64 = 1_000_000;

    fn base() -> WalletBaseline {
        WalletBaseline {
            wallet_id: uuid::Uuid::nil(),
            network: "tron".to_owned(),
            coin_sun: 1_110 * TRX,
            energy_sun: 1_000 * TRX,
            bandwidth_sun: 100 * TRX,
            block: 7,
            short_since: None,
        }
    }

    /// 10 TRX liquid, 400 of 1,000 lent for energy, 100 for bandwidth.
    fn read() -> WalletSnapshot {
        WalletSnapshot {
            as_of_block: 9,
            balance_sun: 10 * TRX,
            staked_energy_sun: 600 * TRX,
            staked_bandwidth_sun: 90 * TRX,
            delegated_energy_sun: 400 * TRX,
            delegated_bandwidth_sun: 10 * TRX,
            delegatable_sun: 600 * TRX,
            bandwidth_limit: 0,
            bandwidth_used: 0,
            free_bandwidth_limit: 0,
            free_bandwidth_used: 0,
            energy_limit: 0,
            energy_used: 0,
            unfreezing: Vec::new(),
            permissions: chain::AccountPermissions::default(),
            market: EnergyMarket {
                total_limit: 1,
                total_weight: 1,
            },
            bandwidth_market: EnergyMarket {
                total_limit: 1,
                total_weight: 1,
            },
        }
    }

    fn missing(change: impl FnOnce(&mut WalletSnapshot), fees_sun: i64, in_flight: i64) -> (i64, i64, i64) {
        let mut seen = read();
        change(&mut seen);
        let found = Shortfall::of(&base(), &seen, Spent { fees_sun, in_flight });
        assert_eq!(found.is_none(), found == Shortfall::default());
        (found.coin_sun / TRX, found.energy_sun / TRX, found.bandwidth_sun / TRX)
    }

    #[test]
    fn what_moves_within_the_wallet_is_not_missing() {
        assert_eq!(missing(|_| {}, 0, 0), (0, 0, 0));
        assert_eq!(missing(|seen| seen.balance_sun += 50 * TRX, 0, 0), (0, 0, 0));
        let lent = |seen: &mut WalletSnapshot| {
            seen.staked_energy_sun -= 300 * TRX;
            seen.delegated_energy_sun += 300 * TRX;
        };
        assert_eq!(missing(lent, 0, 0), (0, 0, 0));
        let staked = |seen: &mut WalletSnapshot| {
            seen.balance_sun -= 9 * TRX;
            seen.staked_bandwidth_sun += 9 * TRX;
        };
        assert_eq!(missing(staked, 0, 0), (0, 0, 0));
    }

    #[test]
    fn fees_of_ours_are_not_missing() {
        let burned = |seen: &mut WalletSnapshot| seen.balance_sun -= 5 * TRX;
        assert_eq!(missing(burned, 5 * TRX, 0), (0, 0, 0));
        assert_eq!(missing(burned, 2 * TRX, 3), (0, 0, 0));
        assert_eq!(missing(burned, 3 * TRX, 0), (2, 0, 0));
        assert_eq!(missing(burned, 3 * TRX, 1), (1, 0, 0));
        // no alarm for dust
        assert_eq!(missing(|seen| seen.balance_sun -= TRX - 1, 0, 0), (0, 0, 0));
    }

    #[test]
    fn what_we_unstaked_is_not_missing() {
        let short = Shortfall {
            coin_sun: 0,
            energy_sun: 200 * TRX,
            bandwidth_sun: 5 * TRX,
        };
        assert!(short.less_unstaked(200 * TRX, 5 * TRX).is_none());
        let left = short.less_unstaked(150 * TRX, 0);
        assert_eq!((left.energy_sun, left.bandwidth_sun), (50 * TRX, 5 * TRX));
        let coin = Shortfall {
            coin_sun: TRX,
            ..Shortfall::default()
        };
        assert_eq!(coin.less_unstaked(TRX, TRX), coin);
    }

    #[test]
    fn stake_that_somebody_gives_up_is_missing_although_the_coin_is_there() {
        let unstaked = |seen: &mut WalletSnapshot| {
            seen.staked_energy_sun -= 200 * TRX;
            seen.unfreezing.push(Unfreezing {
                resource: Resource::Energy,
                amount_sun: 200 * TRX,
                ready_at: chrono::DateTime::UNIX_EPOCH,
            });
        };
        assert_eq!(missing(unstaked, 0, 0), (0, 200, 0));
        assert_eq!(missing(|seen| seen.staked_bandwidth_sun = 0, 0, 0), (90, 0, 90));
    }
}
