//! Stake and energy.

use chain::EnergyMarket;
use tron::{Undelegation, Usage, energy_for_sun, returned_usage, sun_for_energy, usage_sun};

use super::{cases, int, text};

#[test]
fn figures_are_those_of_the_node() {
    let mut seen = [0; 4];
    for case in cases("energy_math.json") {
        let args: Vec<i64> = case["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|arg| arg.as_str().unwrap().parse().unwrap())
            .collect();
        let market = |limit: usize| EnergyMarket {
            total_limit: args[limit],
            total_weight: args[limit + 1],
        };
        let expected = int(&case, "result");
        let actual = match text(&case, "op") {
            "limit" => {
                seen[0] += 1;
                let smallest = sun_for_energy(expected, market(1)).unwrap();
                assert!(smallest <= args[0]);
                assert_eq!(energy_for_sun(smallest, market(1)), expected, "{case}");
                energy_for_sun(args[0], market(1))
            }
            "usageSun" => {
                seen[1] += 1;
                usage_sun(args[0], market(1))
            }
            "recover" => {
                seen[2] += 1;
                Usage {
                    energy: args[0],
                    at_slot: args[1],
                    window_slots: args[3],
                }
                .left_at(args[2])
            }
            "transfer" => {
                seen[3] += 1;
                let undelegation = Undelegation {
                    sun: args[0],
                    receiver_used: args[1],
                    receiver_all_sun: args[2],
                };
                returned_usage(undelegation, market(3))
            }
            other => panic!("{other}"),
        };
        assert_eq!(actual, expected, "{case}");
    }
    assert_eq!(seen, [55, 19, 30, 19]);
}
