//! How supplier wallets are staked: the policy out of the settings, and what stake a wallet lacks at the network's own ratio.

use chain::{EnergyMarket, WalletSnapshot};
use chrono::Duration;
use domain::stakings::{BandwidthFacts, StakePolicy, StakeRules, missing_points};
use settings::Settings;
use tron::{energy_for_sun, sun_for_energy_with_margin};

/// Staked on top, in 1/100 %: the ratio moves by what is staked, by us and by others.
const MARGIN_BPS: u32 = 100;
/// Stake counts in whole TRX.
const TRX: i64 = 1_000_000;

/// What every staking is held to.
#[must_use]
pub fn rules(settings: &Settings) -> StakeRules {
    let stake = &settings.pool.stake;
    StakeRules {
        network: settings.orders.network.clone(),
        reserve_sun: stake.reserve.minor(),
        wallet_day_sun: stake.wallet_day.minor(),
        all_day_sun: stake.all_day.minor(),
    }
}

/// What is staked without being asked for.
#[must_use]
pub fn policy(settings: &Settings) -> StakePolicy {
    let stake = &settings.pool.stake;
    StakePolicy {
        enabled: stake.enabled,
        rules: rules(settings),
        liquid_bps: stake.liquid_bps,
        least_sun: stake.least.minor(),
        transactions_per_day: stake.bandwidth_transactions_per_day,
        warn_transactions: stake.warn_transactions,
        failure_pause: Duration::seconds(stake.failure_pause_s),
    }
}

/// Stake for bandwidth that the transactions of a day lack, in sun: whole TRX, rounded up, by the ratio that was read with the
/// wallet, and a little on top. Nothing where the network gives no bandwidth for stake, or never so much.
pub(crate) fn missing_sun(snapshot: &WalletSnapshot, policy: &StakePolicy) -> i64 {
    let (points, market) = (missing_points(snapshot, policy), snapshot.bandwidth_market);
    if points <= 0 || market.total_limit <= 0 {
        return 0;
    }
    if market.total_weight <= 0 {
        return TRX; // the first to stake gets all there is
    }
    match sun_for_energy_with_margin(points, MARGIN_BPS, market) {
        Ok(sun) => sun.saturating_add(TRX - 1) / TRX * TRX,
        Err(error) => {
            tracing::warn!(
                points,
                error = &error as &dyn std::error::Error,
                "no stake gives this bandwidth"
            );
            0
        }
    }
}

/// What a wallet has for the bytes of its transactions.
pub(crate) fn bandwidth_facts(snapshot: &WalletSnapshot, policy: &StakePolicy) -> BandwidthFacts {
    BandwidthFacts::of(snapshot, missing_sun(snapshot, policy), policy)
}

/// Whether less energy can be sold than `least`, what is being staked for it counted in.
pub(crate) fn is_low(sellable_sun: i64, coming_sun: i64, market: EnergyMarket, least: i64) -> bool {
    energy_for_sun(sellable_sun.saturating_add(coming_sun), market) < least
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(bandwidth_limit: i64, market: (i64, i64)) -> WalletSnapshot {
        let none = EnergyMarket {
            total_limit: 1,
            total_weight: 1,
        };
        WalletSnapshot {
            as_of_block: 1,
            balance_sun: 25 * TRX,
            staked_energy_sun: 0,
            staked_bandwidth_sun: 0,
            delegated_energy_sun: 0,
            delegatable_sun: 0,
            delegated_bandwidth_sun: 0,
            energy_limit: 0,
            energy_used: 0,
            bandwidth_limit,
            bandwidth_used: 300,
            free_bandwidth_limit: 600,
            free_bandwidth_used: 301,
            unfreezing: Vec::new(),
            permissions: chain::AccountPermissions::default(),
            market: none,
            bandwidth_market: EnergyMarket {
                total_limit: market.0,
                total_weight: market.1,
            },
        }
    }

    fn policy() -> StakePolicy {
        StakePolicy {
            enabled: true,
            rules: StakeRules {
                network: "tron".into(),
                reserve_sun: 20 * TRX,
                wallet_day_sun: 0,
                all_day_sun: 0,
            },
            liquid_bps: 0,
            least_sun: TRX,
            transactions_per_day: 10,
            warn_transactions: 2,
            failure_pause: Duration::zero(),
        }
    }

    #[test]
    fn what_bandwidth_costs_is_the_networks_ratio_rounded_up_to_whole_trx() {
        let missing = |limit, market| missing_sun(&snapshot(limit, market), &policy());
        // the main network's ratio, about 1.6 points for a TRX
        assert_eq!(missing(0, (43_200_000_000, 27_000_000_000)), 1_894 * TRX);
        assert_eq!(missing(2_999, (43_200_000_000, 27_000_000_000)), TRX);
        assert_eq!(missing(3_000, (43_200_000_000, 27_000_000_000)), 0);
        assert_eq!(missing(0, (43_200_000_000, 0)), TRX);
        assert_eq!(missing(0, (0, 0)), 0);
    }

    #[test]
    fn whole_transactions_are_left_of_each_part() {
        let facts = bandwidth_facts(&snapshot(1_199, (43_200_000_000, 27_000_000_000)), &policy());
        assert_eq!(facts.left, 2, "899 points of stake, 299 of the free ones");
        assert_eq!((facts.missing_sun, facts.spare_sun), (1_137 * TRX, 5 * TRX));
    }

    #[test]
    fn stock_is_low_below_the_configured_figure() {
        let market = EnergyMarket {
            total_limit: 10,
            total_weight: 1,
        };
        assert!(is_low(4 * TRX, 5 * TRX, market, 91));
        assert!(!is_low(4 * TRX, 5 * TRX, market, 90));
    }
}
