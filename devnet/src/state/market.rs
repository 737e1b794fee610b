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

    /// Units of a borrower's use that go back with `sun` of his `working` stake: java-tron, `UnDelegateResourceActuator`.
    pub(crate) fn returned_units(&self, resource: Resource, sun: i64, used: i64, working: i64) -> i64 {
        let share = (used as f64 * (sun as f64 / working as f64)) as i64;
        self.units(resource, sun).min(share)
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
    use crate::state::Usage;

    #[test]
    fn agrees_with_the_reference_vectors() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../core/tron/tests/vectors/energy_math.json"
        );
        let all: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut seen = [0; 4];
        for case in all["cases"].as_array().unwrap() {
            let args: Vec<i64> = case["args"]
                .as_array()
                .unwrap()
                .iter()
                .map(|arg| arg.as_str().unwrap().parse().unwrap())
                .collect();
            let (which, result) = match (case["op"].as_str().unwrap(), args.as_slice()) {
                ("limit", [sun, limit, weight]) => (0, energy_from_sun(*sun, *limit, *weight)),
                ("usageSun", [used, limit, weight]) => (1, usage_in_sun(*used, *limit, *weight)),
                ("recover", [used, last, now, window]) => (2, Usage::stored(*used, *last, *window).at(*now)),
                ("transfer", [sun, used, working, limit, weight]) => {
                    let market = Market {
                        limit: [1, *limit],
                        weight: [1, *weight],
                        ..Market::default()
                    };
                    (3, market.returned_units(Resource::Energy, *sun, *used, *working))
                }
                other => panic!("unknown case {other:?}"),
            };
            seen[which] += 1;
            assert_eq!(result.to_string(), case["result"].as_str().unwrap(), "{case}");
        }
        assert!(seen.iter().all(|count| *count > 10), "{seen:?}");
        assert_eq!(energy_from_sun(1, 5, 0), 0);
    }
}
