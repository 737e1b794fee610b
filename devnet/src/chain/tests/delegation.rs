//! Lending and taking back: every text, locks, the two records of a pair.

use tron::proto::{DelegateResourceContract, UnDelegateResourceContract};

use super::{Net, TRX, addr, bytes, delegate, freeze, lend, locked, take_back, undelegate};
use crate::chain::ForkKeep;
use crate::state::{Resource, View};
use crate::wire::Op;

#[test]
fn a_delegation_moves_stake_and_energy_at_once() {
    let mut net = Net::funded();
    let outcome = net.must(1, &delegate(1, 2, 7_000 * TRX));
    assert_eq!((outcome.bill.fee, outcome.withdraw_expire_amount), (0, 0));
    let (owner, receiver) = (net.account(1), net.account(2));
    assert_eq!((owner.frozen[1], owner.lent[1]), (993_000 * TRX, 7_000 * TRX));
    assert_eq!(receiver.borrowed[1], 7_000 * TRX);
    let energy = net
        .chain
        .state()
        .market()
        .units(Resource::Energy, receiver.working_stake(Resource::Energy));
    assert!((65_000..66_500).contains(&energy), "{energy}");
    assert_eq!(net.chain.state().delegation_index(View::Head, addr(1)).1, [addr(2)]);
    assert_eq!(net.chain.state().delegation_index(View::Head, addr(2)).0, [addr(1)]);
}

#[test]
fn delegate_refuses_with_the_nodes_texts_in_the_nodes_order() {
    let mut net = Net::funded();
    let nobody = format!("Account[{}] not exists", addr(9).to_hex());
    let with = |change: &dyn Fn(&mut DelegateResourceContract)| {
        let mut contract = lend(1, 2, TRX);
        change(&mut contract);
        Op::Delegate(contract)
    };
    let cases: Vec<(Op, String)> = vec![
        (
            with(&|c| c.balance = TRX - 1),
            "delegateBalance must be greater than or equal to 1 TRX".to_owned(),
        ),
        (
            with(&|c| c.balance = 1_000_000 * TRX + 1),
            "delegateBalance must be less than or equal to available FreezeEnergyV2 balance".to_owned(),
        ),
        (
            with(&|c| c.resource = 0),
            "delegateBalance must be less than or equal to available FreezeBandwidthV2 balance".to_owned(),
        ),
        (
            with(&|c| c.resource = 2),
            "ResourceCode error, valid ResourceCode[BANDWIDTH、ENERGY]".to_owned(),
        ),
        (
            with(&|c| c.receiver_address = vec![0x41; 3]),
            "Invalid receiverAddress".to_owned(),
        ),
        (
            with(&|c| c.receiver_address = bytes(1)),
            "receiverAddress must not be the same as ownerAddress".to_owned(),
        ),
        (with(&|c| c.receiver_address = bytes(9)), nobody),
        (
            with(&|c| (c.lock, c.lock_period) = (true, 864_001)),
            "The lock period of delegate resource cannot be less than 0 and cannot exceed 864000!".to_owned(),
        ),
        (
            with(&|c| (c.lock, c.lock_period) = (true, -1)),
            "The lock period of delegate resource cannot be less than 0 and cannot exceed 864000!".to_owned(),
        ),
        (
            with(&|c| c.receiver_address = net_token()),
            "Do not allow delegate resources to contract addresses".to_owned(),
        ),
    ];
    for (op, text) in cases {
        assert_eq!(net.refusal(1, &op), text);
    }
}

fn net_token() -> Vec<u8> {
    crate::DevnetConfig::default().usdt_contract.as_bytes().to_vec()
}

#[test]
fn undelegate_refuses_with_the_nodes_texts() {
    let mut net = Net::funded();
    assert_eq!(
        net.refusal(1, &undelegate(1, 2, TRX)),
        "delegated Resource does not exist"
    );
    net.must(1, &delegate(1, 2, 10 * TRX));
    let with = |change: &dyn Fn(&mut UnDelegateResourceContract)| {
        let mut contract = take_back(1, 2, TRX);
        change(&mut contract);
        Op::Undelegate(contract)
    };
    let cases: Vec<(Op, &str)> = vec![
        (with(&|c| c.receiver_address = Vec::new()), "Invalid receiverAddress"),
        (
            with(&|c| c.receiver_address = bytes(1)),
            "receiverAddress must not be the same as ownerAddress",
        ),
        (with(&|c| c.balance = 0), "unDelegateBalance must be more than 0 TRX"),
        (with(&|c| c.balance = -5), "unDelegateBalance must be more than 0 TRX"),
        (
            with(&|c| c.balance = 10 * TRX + 1),
            "insufficient delegateFrozenBalance(Energy), request=10000001, unlock_balance=10000000",
        ),
        (
            with(&|c| c.resource = 0),
            "insufficient delegatedFrozenBalance(BANDWIDTH), request=1000000, unlock_balance=0",
        ),
        (
            with(&|c| c.resource = 2),
            "ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]",
        ),
    ];
    for (op, text) in cases {
        assert_eq!(net.refusal(1, &op), text);
    }
}

#[test]
fn an_owner_that_does_not_exist_is_named_by_the_bandwidth_stage() {
    let mut net = Net::funded();
    let text = format!("account [{}] does not exist", addr(9));
    assert_eq!(net.refusal(9, &delegate(9, 2, TRX)), text);
    assert_eq!(net.refusal(9, &undelegate(9, 2, TRX)), text);
}

#[test]
fn parts_can_be_taken_back_below_one_trx_and_the_record_goes_with_the_last() {
    let mut net = Net::funded();
    net.must(1, &delegate(1, 2, 2 * TRX));
    net.must(1, &delegate(1, 2, 3 * TRX));
    let key = (addr(1), addr(2), false);
    assert_eq!(
        net.chain.state().delegation(&key).unwrap().sun[1],
        5 * TRX,
        "amounts merge"
    );
    net.must(1, &undelegate(1, 2, 5 * TRX - 1));
    assert_eq!(net.chain.state().delegation(&key).unwrap().sun[1], 1);
    net.must(1, &undelegate(1, 2, 1));
    assert_eq!(net.chain.state().delegation(&key), None);
    assert_eq!(net.chain.state().delegation_index(View::Head, addr(1)).1, []);
    assert_eq!(net.account(1).frozen[1], 1_000_000 * TRX);
    assert_eq!((net.account(1).lent[1], net.account(2).borrowed[1]), (0, 0));
}

#[test]
fn a_lock_holds_until_it_is_over_and_a_second_one_overwrites_its_end() {
    let mut net = Net::funded();
    net.must(1, &locked(1, 2, 10 * TRX, 100));
    let key = (addr(1), addr(2), true);
    let first = net.chain.state().delegation(&key).unwrap();
    assert_eq!(
        net.refusal(1, &undelegate(1, 2, TRX)),
        "insufficient delegateFrozenBalance(Energy), request=1000000, unlock_balance=0"
    );
    let remaining = first.expire_ms[1] - net.chain.head_ms();
    assert_eq!(
        net.refusal(1, &locked(1, 2, TRX, 10)),
        format!(
            "The lock period for ENERGY this time cannot be less than the remaining time[{remaining}ms] of the last \
             lock period for ENERGY!"
        )
    );
    net.must(1, &locked(1, 2, TRX, 200));
    let second = net.chain.state().delegation(&key).unwrap();
    assert_eq!(second.sun[1], 11 * TRX);
    assert!(second.expire_ms[1] > first.expire_ms[1] + 290_000);

    net.pass((second.expire_ms[1] - net.chain.head_ms()) / 1_000 - 3);
    assert_eq!(net.chain.head_ms(), second.expire_ms[1]);
    assert!(
        net.refusal(1, &undelegate(1, 2, 1)).ends_with("unlock_balance=0"),
        "the end itself is still locked"
    );
    net.mine(1);
    net.must(1, &undelegate(1, 2, 11 * TRX));
    assert_eq!(net.chain.state().delegation(&key), None);
    assert_eq!(net.account(1).lent[1], 0);
}

#[test]
fn lock_zero_means_three_days_and_an_expired_lock_stays_a_locked_row_until_touched() {
    let mut net = Net::funded();
    let before = net.chain.head_ms();
    net.must(1, &locked(1, 2, 10 * TRX, 0));
    let key = (addr(1), addr(2), true);
    assert_eq!(
        net.chain.state().delegation(&key).unwrap().expire_ms[1],
        before + 86_400 * 3_000
    );
    net.pass(3 * 86_400);
    assert!(net.chain.state().delegation(&key).is_some());
    net.must(1, &delegate(1, 2, TRX));
    assert_eq!(net.chain.state().delegation(&key), None);
    assert_eq!(
        net.chain.state().delegation(&(addr(1), addr(2), false)).unwrap().sun[1],
        11 * TRX
    );
}

#[test]
fn a_delegation_that_lost_its_validity_vanishes_from_the_block() {
    let mut net = Net::funded();
    net.mine(3);
    let base = net.chain.block(net.chain.head()).unwrap().clone();
    let staked = net.send(2, &freeze(2, 10 * TRX, 1)).unwrap();
    net.mine(1);
    let mut raw = net.raw(&delegate(2, 1, 10 * TRX));
    raw.ref_block_bytes = base.id[6..8].to_vec();
    raw.ref_block_hash = base.reference_hash().to_vec();
    let id = net.send_raw(raw, 2).unwrap();
    assert!(net.chain.pending(&id).is_some());
    net.chain
        .fork(1, &ForkKeep::DropTxids(vec![hex::encode(staked)]))
        .unwrap();
    assert_eq!(net.outcome(&id), None);
    assert!(net.chain.pending(&id).is_none(), "it is gone without a trace");
    assert_eq!(net.account(1).borrowed, [0, 0]);
}

#[test]
fn the_pool_judges_on_the_pending_state() {
    let mut net = Net::funded();
    net.send(1, &delegate(1, 2, 1_000_000 * TRX)).unwrap();
    assert_eq!(
        net.refusal(1, &delegate(1, 2, TRX)),
        "delegateBalance must be less than or equal to available FreezeEnergyV2 balance"
    );
}
