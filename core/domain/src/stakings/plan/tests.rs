//! What the policy wants of a wallet, and in which order.

use super::*;

fn policy() -> StakePolicy {
    StakePolicy {
        enabled: true,
        rules: StakeRules {
            network: "tron".into(),
            reserve_sun: 20 * TRX,
            wallet_day_sun: 1_000 * TRX,
            all_day_sun: 1_000 * TRX,
        },
        liquid_bps: 1_000,
        least_sun: 50 * TRX,
        transactions_per_day: 10,
        warn_transactions: 2,
        failure_pause: Duration::hours(6),
    }
}

fn facts(balance_trx: i64, staked_trx: i64) -> PlanFacts {
    PlanFacts {
        stake: StakeFacts {
            balance_sun: balance_trx * TRX,
            energy_sun: staked_trx * TRX,
            bandwidth_sun: 0,
            lent_sun: 0,
            ready_sun: 0,
            waiting_sun: 0,
            waiting: 0,
        },
        as_of_block: 1,
        bandwidth_missing_sun: 0,
        stock_low: true,
    }
}

fn energy(trx: i64) -> Vec<StakeWish> {
    vec![StakeWish::Stake(
        StakeResource::Energy,
        Amount::from_minor(trx * TRX).unwrap(),
    )]
}

fn wanted(facts: &PlanFacts) -> Vec<StakeWish> {
    wishes(facts, &policy()).into_iter().map(|(wish, _)| wish).collect()
}

#[test]
fn the_share_of_all_that_is_the_wallets_stays_liquid() {
    assert_eq!(wanted(&facts(1_000, 0)), energy(900));
    assert_eq!(wanted(&facts(1_000, 4_000)), energy(500), "a tenth of 5,000 stays");
    assert_eq!(wanted(&facts(1_000, 9_001)), [], "just below the share");
    assert_eq!(wanted(&facts(100, 0)), energy(80), "the reserve is more than the share");
    assert_eq!(wanted(&facts(69, 0)), [], "too little to be worth it");
    let mut odd = facts(1_000, 0);
    odd.stake.balance_sun += 999_999;
    assert_eq!(wanted(&odd), energy(900), "whole TRX");
}

#[test]
fn nothing_is_staked_for_energy_while_there_is_enough_of_it() {
    let mut enough = facts(1_000, 0);
    enough.stock_low = false;
    assert_eq!(wanted(&enough), []);
}

#[test]
fn bandwidth_comes_first_and_may_take_all_but_the_reserve() {
    let mut short = facts(1_000, 0);
    short.bandwidth_missing_sun = 30 * TRX;
    let bandwidth = |trx| {
        let amount = Amount::from_minor(trx * TRX).unwrap();
        vec![StakeWish::Stake(StakeResource::Bandwidth, amount)]
    };
    assert_eq!(wanted(&short), bandwidth(30));
    short.stock_low = false;
    assert_eq!(wanted(&short), bandwidth(30), "whatever the stock is");
    short.stake.balance_sun = 25 * TRX;
    assert_eq!(wanted(&short), bandwidth(5));
    short.stake.balance_sun = 20 * TRX;
    assert_eq!(wanted(&short), []);
}

#[test]
fn what_has_waited_is_taken_back_beside_it() {
    let mut both = facts(1_000, 0);
    both.stake.ready_sun = TRX;
    assert_eq!(wanted(&both)[0], StakeWish::Withdraw);
    assert_eq!(wanted(&both).len(), 2);
}

#[test]
fn a_wish_is_cut_to_the_limits_or_left() {
    let policy = policy();
    let wish = energy(100)[0];
    assert_eq!(within(wish, 70 * TRX + 1, &policy), Some(energy(70)[0]));
    assert_eq!(within(wish, 49 * TRX, &policy), None, "not worth a transaction");
    assert_eq!(within(StakeWish::Withdraw, 0, &policy), Some(StakeWish::Withdraw));
}
