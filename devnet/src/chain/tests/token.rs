//! Calls of the token: energy, budgets, failures that are in blocks, events.

use tron::proto::TriggerSmartContract;

use super::{Net, TRX, addr, bytes, key};
use crate::chain::AdminOp;
use crate::exec::{Ended, Refusal};
use crate::state::View;
use crate::usdt::word;
use crate::wire::Op;

/// Accounts 1 and 2 with stake and money, 1, 2 and 4 with 1,000 USDT.
pub(super) fn with_usdt() -> Net {
    let mut net = Net::funded();
    for n in [1, 2, 4] {
        net.chain.admin(AdminOp::Mint {
            address: addr(n),
            micro: 1_000_000_000,
        });
    }
    net.mine(1);
    net
}

fn call(from: u8, selector: &str, words: &[[u8; 32]]) -> TriggerSmartContract {
    let mut data = hex::decode(selector).unwrap();
    words.iter().for_each(|word| data.extend(word));
    let contract_address = crate::DevnetConfig::default().usdt_contract.as_bytes().to_vec();
    TriggerSmartContract {
        owner_address: bytes(from),
        contract_address,
        data,
        ..TriggerSmartContract::default()
    }
}

fn address_word(n: u8) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&addr(n).evm20());
    word
}

pub(super) fn pay(from: u8, to: u8, micro: u128) -> Op {
    Op::Trigger(call(from, "a9059cbb", &[address_word(to), word(micro)]))
}

fn usdt(net: &Net, n: u8) -> u128 {
    net.chain.state().usdt(View::Head, &addr(n))
}

#[test]
fn a_transfer_moves_tokens_logs_and_answers_zero() {
    let mut net = with_usdt();
    let outcome = net.must(2, &pay(2, 1, 7));
    let result = outcome.call.unwrap();
    assert_eq!((result.ended, result.output), (Ended::Success, vec![0; 32]));
    assert_eq!((usdt(&net, 1), usdt(&net, 2)), (1_000_000_007, 999_999_993));
    let [log] = result.logs.as_slice() else {
        panic!("one event")
    };
    assert_eq!(log.topics[1..], [address_word(2), address_word(1)]);
    assert_eq!(log.data, word(7));
    assert_eq!((result.energy, outcome.bill.energy_penalty), (64_285, 49_635));
}

#[test]
fn a_first_transfer_costs_twice_and_burns_what_stake_does_not_cover() {
    let mut net = with_usdt();
    let before = net.account(2).balance;
    let outcome = net.must(2, &pay(2, 9, 1));
    assert_eq!((outcome.bill.energy_total, outcome.bill.energy_usage), (130_285, 0));
    assert_eq!(outcome.bill.energy_fee, 13_028_500);
    assert_eq!(net.account(2).balance, before - outcome.bill.fee);
    assert_eq!(usdt(&net, 9), 1);
    assert!(
        net.chain.state().account(&addr(9)).is_none(),
        "a token does not activate an account"
    );
}

#[test]
fn too_many_tokens_revert_in_the_block_and_burn_only_what_was_used() {
    let mut net = with_usdt();
    let outcome = net.must(2, &pay(2, 1, 1_000_000_001));
    let result = outcome.call.unwrap();
    assert_eq!((result.ended, result.logs.len()), (Ended::Revert, 0));
    assert_eq!(usdt(&net, 1), 1_000_000_000);
    assert!(outcome.bill.energy_fee > 0);
}

#[test]
fn the_fee_limit_caps_rented_energy_too() {
    let mut net = with_usdt();
    let mut raw = net.raw(&pay(1, 2, 1));
    raw.fee_limit = 6_428_400;
    let id = net.send_raw(raw, 1).unwrap();
    net.mine(1);
    let outcome = net.outcome(&id).unwrap();
    assert_eq!(outcome.call.unwrap().ended, Ended::OutOfEnergy);
    assert_eq!(
        (
            outcome.bill.energy_total,
            outcome.bill.energy_usage,
            outcome.bill.energy_fee
        ),
        (64_284, 64_284, 0)
    );
    assert_eq!(usdt(&net, 2), 1_000_000_000);

    let mut raw = net.raw(&pay(1, 2, 1));
    raw.fee_limit = 6_428_500;
    let id = net.send_raw(raw, 1).unwrap();
    net.mine(1);
    assert_eq!(net.outcome(&id).unwrap().call.unwrap().ended, Ended::Success);
}

#[test]
fn a_poor_caller_loses_what_he_has_and_never_goes_below_zero() {
    let mut net = with_usdt();
    net.credit(4, 2 * TRX);
    net.mine(1);
    let outcome = net.must(4, &pay(4, 2, 1));
    assert_eq!(outcome.call.unwrap().ended, Ended::OutOfEnergy);
    let left = net.account(4).balance;
    assert!((0..100).contains(&left), "{left}");
}

#[test]
fn trigger_refuses_what_cannot_be_a_call() {
    let mut net = with_usdt();
    let mut raw = net.raw(&pay(1, 2, 1));
    raw.fee_limit = 15_000_000_001;
    assert_eq!(
        net.send_raw(raw, 1),
        Err(Refusal::Validate("feeLimit must be >= 0 and <= 15000000000".to_owned()))
    );
    let Op::Trigger(contract) = pay(1, 2, 1) else {
        panic!("a call")
    };
    let elsewhere = TriggerSmartContract {
        contract_address: bytes(2),
        ..contract.clone()
    };
    assert_eq!(
        net.refusal(1, &Op::Trigger(elsewhere)),
        "No contract or not a smart contract"
    );
    let with_trx = TriggerSmartContract {
        call_value: 5,
        ..contract
    };
    let outcome = net.must(1, &Op::Trigger(with_trx));
    assert_eq!(outcome.call.unwrap().ended, Ended::Revert, "the token takes no TRX");
}

#[test]
fn allowances_bound_transfer_from() {
    let mut net = with_usdt();
    let take = |micro| Op::Trigger(call(1, "23b872dd", &[address_word(2), address_word(4), word(micro)]));
    assert_eq!(net.must(1, &take(1)).call.unwrap().ended, Ended::Revert);
    net.must(2, &Op::Trigger(call(2, "095ea7b3", &[address_word(1), word(10)])));
    let outcome = net.must(1, &take(6));
    assert_eq!(outcome.call.unwrap().output, word(1), "transferFrom answers true");
    assert_eq!(usdt(&net, 4), 1_000_000_006);
    assert_eq!(net.must(1, &take(5)).call.unwrap().ended, Ended::Revert, "4 are left");
    // Anyone may move nothing from anyone: the address-poisoning event.
    let zero = Op::Trigger(call(4, "23b872dd", &[address_word(2), address_word(1), word(0)]));
    net.credit(4, 100 * TRX);
    net.mine(1);
    assert_eq!(net.must(4, &zero).call.unwrap().logs.len(), 1);
}

#[test]
fn the_pool_takes_a_call_that_will_revert_but_the_signer_must_exist() {
    let mut net = with_usdt();
    let stranger = key(9).address();
    assert_eq!(
        net.refusal(9, &pay(9, 1, 1)),
        format!("account [{stranger}] does not exist")
    );
}
