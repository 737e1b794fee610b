//! Each thing that stands against a signature has its name, and nothing else does.

use chain::{EnergyMarket, Resource, Unfreezing};
use db::models::{StakingSource, StakingState};
use uuid::Uuid;

use super::*;

const TRX: i64 = 1_000_000;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_900_000_000 + second, 0).unwrap()
}

fn staking(action: StakingAction, resource: StakeResource, trx: i64) -> Staking {
    let amounts = matches!(action, StakingAction::Stake | StakingAction::Unstake);
    Staking {
        id: Uuid::nil(),
        network: "tron".into(),
        wallet_id: Uuid::nil(),
        action,
        resource: amounts.then_some(resource),
        amount_sun: amounts.then_some(trx * TRX),
        state: StakingState::Requested,
        source: StakingSource::Operator,
        requested_by: "operator:anna".into(),
        reason: "more energy".into(),
        attempts: 0,
        moved_sun: None,
        block_number: None,
        reason_code: None,
        created_at: at(0),
        updated_at: at(0),
        ended_at: None,
    }
}

fn snapshot() -> WalletSnapshot {
    let waits = |amount_sun, second| Unfreezing {
        resource: Resource::Energy,
        amount_sun,
        ready_at: at(second),
    };
    let market = EnergyMarket {
        total_limit: 1,
        total_weight: 1,
    };
    WalletSnapshot {
        as_of_block: 1,
        balance_sun: 100 * TRX,
        staked_energy_sun: 50 * TRX,
        staked_bandwidth_sun: 20 * TRX,
        delegated_energy_sun: 30 * TRX,
        delegatable_sun: 50 * TRX,
        delegated_bandwidth_sun: 0,
        energy_limit: 0,
        energy_used: 0,
        bandwidth_limit: 0,
        bandwidth_used: 0,
        free_bandwidth_limit: 600,
        free_bandwidth_used: 0,
        unfreezing: vec![waits(3 * TRX, 9), waits(4 * TRX, 10), waits(5 * TRX, 11)],
        permissions: chain::AccountPermissions::default(),
        market,
        bandwidth_market: market,
    }
}

#[test]
fn what_waits_is_ready_from_its_time_on() {
    let facts = StakeFacts::of(&snapshot(), at(10));
    assert_eq!(
        (facts.ready_sun, facts.waiting_sun, facts.waiting),
        (7 * TRX, 5 * TRX, 1)
    );
    assert_eq!(facts.all_sun(), 212 * TRX);
    assert_eq!(facts.moved_sun(StakingAction::Withdraw), Some(7 * TRX));
    assert_eq!(facts.moved_sun(StakingAction::Cancel), Some(5 * TRX));
    assert_eq!(facts.moved_sun(StakingAction::Stake), None);
}

#[test]
fn what_stands_against_a_signature() {
    use StakeResource::{Bandwidth, Energy};
    use StakingAction::{Cancel, Stake, Unstake, Withdraw};
    let facts = StakeFacts::of(&snapshot(), at(10));
    let cases = [
        (Stake, Energy, 90, None),
        (Stake, Bandwidth, 91, Some("balance_short")),
        (Unstake, Energy, 45, None),
        (Unstake, Energy, 46, Some("stake_lent")),
        (Unstake, Bandwidth, 20, None),
        (Unstake, Bandwidth, 21, Some("stake_short")),
        (Withdraw, Energy, 0, None),
        (Cancel, Energy, 0, None),
    ];
    for (action, resource, trx, code) in cases {
        let found = unmet(&staking(action, resource, trx), &facts, 5 * TRX, 10 * TRX);
        assert_eq!(found, code, "{action} {resource} {trx}");
    }
    let none = StakeFacts {
        ready_sun: 0,
        waiting_sun: 0,
        waiting: 0,
        ..facts
    };
    let code = |action, facts| unmet(&staking(action, Energy, 1), facts, 0, 0);
    assert_eq!(code(Withdraw, &none), Some("nothing_ready"));
    assert_eq!(code(Cancel, &none), Some("nothing_waits"));
    let full = StakeFacts {
        waiting: MAX_UNFREEZING,
        ..facts
    };
    assert_eq!(code(Unstake, &full), Some("too_many_waiting"));
    assert_eq!(code(Stake, &full), None);
}
