//! Bandwidth, activation, memos, several signatures; TRX transfers and their texts.

use super::{Net, TRX, addr, delegate, transfer};
use crate::exec::Refusal;
use crate::state::{Permission, Resource};
use crate::wire::Op;

#[test]
fn transfer_refuses_with_the_nodes_texts() {
    let mut net = Net::funded();
    assert_eq!(net.refusal(1, &transfer(1, 1, TRX)), "Cannot transfer TRX to yourself.");
    assert_eq!(net.refusal(1, &transfer(1, 2, 0)), "Amount must be greater than 0.");
    assert_eq!(net.refusal(1, &transfer(1, 2, -1)), "Amount must be greater than 0.");
    let too_much = "Validate TransferContract error, balance is not sufficient.";
    assert_eq!(net.refusal(1, &transfer(1, 2, 1_000_000 * TRX + 1)), too_much);
    assert_eq!(
        net.refusal(1, &transfer(1, 9, 1_000_000 * TRX)),
        too_much,
        "activation costs 1.1 TRX more"
    );
    let Op::Transfer(mut contract) = transfer(1, 2, TRX) else {
        panic!("a transfer")
    };
    contract.to_address = vec![0x41];
    assert_eq!(net.refusal(1, &Op::Transfer(contract.clone())), "Invalid toAddress!");
    contract.to_address = crate::DevnetConfig::default().usdt_contract.as_bytes().to_vec();
    assert_eq!(
        net.refusal(1, &Op::Transfer(contract)),
        "Cannot transfer TRX to a smartContract."
    );
}

#[test]
fn bandwidth_is_free_until_600_bytes_then_burned_then_free_again_after_a_day() {
    let mut net = Net::funded();
    let fees: Vec<i64> = (0..3).map(|_| net.must(1, &transfer(1, 2, TRX)).bill.fee).collect();
    assert_eq!(fees[..2], [0, 0]);
    assert!((265_000..=270_000).contains(&fees[2]), "{fees:?}");
    net.pass(86_400);
    let outcome = net.must(1, &transfer(1, 2, TRX));
    assert_eq!(outcome.bill.fee, 0);
    assert!((265..=270).contains(&outcome.bill.net_usage));
}

#[test]
fn a_transaction_is_paid_wholly_by_one_source() {
    let mut net = Net::funded();
    // Worth about 160 of bandwidth: too little for any transaction.
    net.stake(1, Resource::Bandwidth, 100 * TRX);
    net.mine(1);
    assert_eq!(
        net.must(1, &transfer(1, 2, TRX)).bill.net_usage,
        net.account(1).free_usage.used
    );
    assert_eq!(net.account(1).usage[0].used, 0);
    net.stake(1, Resource::Bandwidth, 1_000 * TRX);
    net.mine(1);
    let free_before = net.account(1).free_usage;
    let outcome = net.must(1, &transfer(1, 2, TRX));
    assert_eq!(net.account(1).usage[0].used, outcome.bill.net_usage);
    assert_eq!(net.account(1).free_usage, free_before);
}

#[test]
fn sizes_are_those_of_mainnet() {
    let mut net = Net::funded();
    assert!((265..=270).contains(&net.must(2, &transfer(2, 1, TRX)).bill.net_usage));
    assert!((277..=285).contains(&net.must(1, &delegate(1, 2, 7_000 * TRX)).bill.net_usage));
}

#[test]
fn activation_costs_a_trx_and_a_tenth_unless_bandwidth_is_staked() {
    let mut net = Net::funded();
    let outcome = net.must(1, &transfer(1, 8, TRX));
    assert_eq!((outcome.bill.fee, outcome.bill.net_fee), (1_100_000, 100_000));
    assert_eq!(net.account(1).balance, 999_997_900_000);
    assert_eq!(net.account(8).balance, TRX);
    net.stake(1, Resource::Bandwidth, 10_000 * TRX);
    net.mine(1);
    assert_eq!(net.must(1, &transfer(1, 9, TRX)).bill.fee, TRX);
}

#[test]
fn a_memo_costs_a_trx() {
    let mut net = Net::funded();
    let mut raw = net.raw(&transfer(1, 2, TRX));
    raw.data = b"order 7".to_vec();
    let id = net.send_raw(raw, 1).unwrap();
    net.mine(1);
    assert_eq!(net.outcome(&id).unwrap().bill.fee, TRX);
}

#[test]
fn an_account_that_cannot_pay_bandwidth_gets_the_bandwidth_error() {
    let mut net = Net::funded();
    net.credit(5, 100_000);
    net.mine(1);
    for _ in 0..2 {
        net.must(5, &transfer(5, 1, 1));
    }
    assert_eq!(net.send(5, &transfer(5, 1, 1)), Err(Refusal::Resources));
}

#[test]
fn several_signatures_cost_a_trx_and_need_the_threshold() {
    let mut net = Net::funded();
    let keys = [1, 2, 3]
        .map(|n| crate::state::Key {
            address: addr(n),
            weight: 1,
        })
        .to_vec();
    let operations = Permission::default_active(addr(1)).operations;
    let active = Permission {
        id: 2,
        name: "active".to_owned(),
        threshold: 2,
        keys,
        operations,
    };
    net.chain.admin(super::AdminOp::Actives {
        address: addr(1),
        actives: vec![active],
    });
    net.mine(1);
    let mut raw = net.raw(&transfer(1, 2, TRX));
    raw.contract[0].permission_id = 2;
    assert_eq!(
        net.send_raw(raw.clone(), 3),
        Err(Refusal::Signature("sig error".to_owned()))
    );
    let tx = Net::sign(raw, &[3, 2]);
    let id = tx.txid;
    net.chain.broadcast(tx, super::Disposal::Pool).unwrap();
    net.mine(1);
    assert_eq!(net.outcome(&id).unwrap().bill.fee, TRX);
}
