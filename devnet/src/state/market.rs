//! How much energy and bandwidth a stake is worth. The arithmetic is the node's, in doubles, on purpose.

use super::Resource;

/// Totals of the whole network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Market {
    /// Units sold per day, by resource.
    pub(crate) limit: [i64; 2],
    /// Staked TRX, by resource.
    pub(crate) weight: [i64; 2],
    /// Sun burned since the start.
    pub(crate) burned_sun: i64,
    /// Micro-USDT in existence.
    pub(crate) usdt_supply: u128,
}

impl Market {
    /// Units that a stake of `sun` is worth now.
    pub(crate) fn units(&self, resource: Resource, sun: i64) -> i64 {
        let i = resource.index();
        energy_from_sun(sun, self.limit[i], self.weight[i])
    }

    /// Stake that `used` units keep busy.
    pub(crate) fn busy_sun(&self, resource: Resource, used: i64) -> i64 {
        let i = resource.index();
        usage_in_sun(used, self.limit[i], self.weight[i])
    }
}

/// `trunc(sun / 1e6 * (limit / weight))`: java-tron, `calculateGlobalEnergyLimitV2`.
fn energy_from_sun(sun: i64, limit: i64, weight: i64) -> i64 {
    if weight == 0 {
        return 0;
    }
    ((sun as f64 / 1_000_000.0) * (limit as f64 / weight as f64)) as i64
}

/// `trunc(used * 1e6 * (weight / limit))`: java-tron, `DelegateResourceActuator.validate`.
fn usage_in_sun(used: i64, limit: i64, weight: i64) -> i64 {
    (used.saturating_mul(1_000_000) as f64 * (weight as f64 / limit as f64)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_reference_vectors() {
        let (limit, weight) = (180_000_000_000, 19_000_000_000);
        let cases = [
            (999_999, 9),
            (6_850_000_000, 64_894),
            (6_785_638_889, 64_285),
            (13_752_305_556, 130_285),
            (674_907_725_243_646, 6_393_862_660),
        ];
        for (sun, energy) in cases {
            assert_eq!(energy_from_sun(sun, limit, weight), energy, "{sun}");
        }
        assert_eq!(usage_in_sun(1, limit, weight), 105_555);
        assert_eq!(energy_from_sun(1, limit, 0), 0);
    }
}
