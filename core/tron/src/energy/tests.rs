//! Properties that the golden figures do not show.

use super::*;

const MAINNET: EnergyMarket = EnergyMarket {
    total_limit: 180_000_000_000,
    total_weight: 19_000_000_000,
};

#[test]
fn the_inverse_is_the_smallest_stake() {
    for market in [
        MAINNET,
        EnergyMarket {
            total_limit: 180_000_000_000,
            total_weight: 2_411_528_185,
        },
    ] {
        for energy in [1, 2, 64_285, 65_000, 130_285, 131_000, 1_000_000, 999_999_937] {
            let sun = sun_for_energy(energy, market).unwrap();
            assert!(energy_for_sun(sun, market) >= energy);
            assert!(energy_for_sun(sun - 1, market) < energy);
        }
    }
}

#[test]
fn the_margin_rounds_up_and_keeps_the_least_stake() {
    assert_eq!(sun_for_energy_with_margin(1, 0, MAINNET).unwrap(), 1_000_000);
    let exact = sun_for_energy(65_000, MAINNET).unwrap();
    assert_eq!(sun_for_energy_with_margin(65_000, 0, MAINNET).unwrap(), exact);
    assert_eq!(sun_for_energy_with_margin(65_000, 10_000, MAINNET).unwrap(), exact * 2);
    let with_one_bp = sun_for_energy_with_margin(65_000, 1, MAINNET).unwrap();
    assert_eq!(with_one_bp, exact + (exact + 9_999) / 10_000);
}

#[test]
fn a_network_without_stake_gives_nothing_and_sells_nothing() {
    let empty = EnergyMarket {
        total_limit: 180_000_000_000,
        total_weight: 0,
    };
    assert_eq!(energy_for_sun(1_000_000_000, empty), 0);
    assert!(matches!(sun_for_energy(65_000, empty), Err(TronError::EnergyRange(_))));
    assert_eq!(
        usage_sun(
            1,
            EnergyMarket {
                total_limit: 0,
                total_weight: 1
            }
        ),
        0
    );
}

#[test]
fn own_usage_blocks_delegation_after_acquired_stake_is_eaten() {
    let stake = EnergyStake {
        own_sun: 10_000_000_000,
        acquired_sun: 0,
        energy_used: 0,
    };
    assert_eq!(delegatable_sun(stake, MAINNET), 10_000_000_000);
    let used = EnergyStake {
        energy_used: 65_000,
        ..stake
    };
    assert_eq!(
        delegatable_sun(used, MAINNET),
        10_000_000_000 - usage_sun(65_000, MAINNET)
    );
    assert_eq!(
        delegatable_sun(
            EnergyStake {
                acquired_sun: 1 << 40,
                ..used
            },
            MAINNET
        ),
        10_000_000_000
    );
    assert_eq!(
        delegatable_sun(
            EnergyStake {
                own_sun: 999_999,
                ..stake
            },
            MAINNET
        ),
        0
    );
    assert_eq!(
        delegatable_sun(
            EnergyStake {
                energy_used: i64::MAX,
                ..stake
            },
            MAINNET
        ),
        0
    );
}

#[test]
fn usage_without_a_window_is_gone() {
    assert_eq!(
        Usage {
            energy: 5,
            at_slot: 1,
            window_slots: 0
        }
        .left_at(1),
        0
    );
    assert_eq!(
        Usage {
            energy: 65_000,
            at_slot: 0,
            window_slots: 28_800
        }
        .left_at(28_800),
        0
    );
}

proptest::proptest! {
    #[test]
    fn the_inverse_holds_on_every_market(energy in 1_i64..10_000_000_000, limit in 1_000_000_i64..1_000_000_000_000, weight in 1_i64..100_000_000_000) {
        let market = EnergyMarket { total_limit: limit, total_weight: weight };
        let sun = sun_for_energy(energy, market).unwrap();
        proptest::prop_assert!(energy_for_sun(sun, market) >= energy);
        proptest::prop_assert!(energy_for_sun(sun - 1, market) < energy);
    }
}
