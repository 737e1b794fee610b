//! Use of energy, its recovery, and what undelegation hands back.

use super::token::{pay, with_usdt};
use super::{TRX, delegate, undelegate};
use crate::exec::delegatable_sun;
use crate::state::Resource;

const DAY_S: i64 = 86_400;

fn free_sun(net: &super::Net, n: u8) -> i64 {
    let slot = net.chain.slot(crate::state::View::Head);
    delegatable_sun(
        &net.account(n),
        net.chain.state().market(),
        Resource::Energy,
        slot,
        true,
    )
}

#[test]
fn a_customer_who_used_everything_gives_back_stake_that_cannot_be_lent_until_it_recovers() {
    let mut net = with_usdt();
    net.credit(4, 1_000 * TRX);
    net.mine(1);
    let stake = 6_900 * TRX;
    net.must(1, &delegate(1, 4, stake));
    let whole = free_sun(&net, 1);
    let outcome = net.must(4, &pay(4, 2, 1_000_000));
    assert_eq!((outcome.bill.energy_usage, outcome.bill.energy_fee), (64_285, 0));
    net.must(1, &undelegate(1, 4, stake));
    assert_eq!(net.account(4).usage[1].used, 0, "all of the use went with the stake");
    let handed = net.account(1).usage[1].used;
    assert!((64_270..=64_285).contains(&handed), "{handed}");
    let busy = whole + stake - free_sun(&net, 1);
    let expected = net.chain.state().market().busy_sun(Resource::Energy, handed);
    assert!((busy - expected).abs() < TRX, "{busy} {expected}");

    net.pass(DAY_S / 2);
    let half = whole + stake - free_sun(&net, 1);
    assert!((half - expected / 2).abs() < 20 * TRX, "{half} {expected}");
    net.pass(DAY_S / 2);
    assert_eq!(free_sun(&net, 1), whole + stake);
}

#[test]
fn a_customer_who_used_nothing_gives_back_stake_that_can_be_lent_at_once() {
    let mut net = with_usdt();
    let whole = free_sun(&net, 1);
    net.must(1, &delegate(1, 2, 6_900 * TRX));
    assert_eq!(free_sun(&net, 1), whole - 6_900 * TRX);
    net.must(1, &undelegate(1, 2, 6_900 * TRX));
    assert_eq!(free_sun(&net, 1), whole);
}

#[test]
fn a_lender_inherits_only_his_share() {
    let mut net = with_usdt();
    net.credit(4, 1_000 * TRX);
    net.stake(4, Resource::Energy, 6_900 * TRX);
    net.mine(1);
    net.must(1, &delegate(1, 4, 6_900 * TRX));
    net.must(4, &pay(4, 2, 1));
    net.must(1, &undelegate(1, 4, 6_900 * TRX));
    let (lender, customer) = (net.account(1).usage[1].used, net.account(4).usage[1].used);
    assert!(
        (lender - 32_140).abs() < 20 && (customer - 32_140).abs() < 20,
        "{lender} {customer}"
    );
}

#[test]
fn own_usage_blocks_lending_and_the_text_says_so() {
    let mut net = with_usdt();
    net.stake(4, Resource::Energy, 7_000 * TRX);
    net.credit(4, 100 * TRX);
    net.mine(1);
    net.must(4, &pay(4, 2, 1));
    assert_eq!(
        net.refusal(4, &delegate(4, 2, 7_000 * TRX)),
        "delegateBalance must be less than or equal to available FreezeEnergyV2 balance"
    );
    let free = free_sun(&net, 4);
    assert!(free < 200 * TRX, "{free}");
    net.must(4, &delegate(4, 2, free));
}

#[test]
fn borrowed_stake_covers_own_usage_first() {
    let mut net = with_usdt();
    net.credit(4, 100 * TRX);
    net.stake(4, Resource::Energy, 100 * TRX);
    net.mine(1);
    net.must(1, &delegate(1, 4, 7_000 * TRX));
    net.must(4, &pay(4, 2, 1));
    assert_eq!(free_sun(&net, 4), 100 * TRX);
}
