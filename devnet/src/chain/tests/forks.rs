//! Reorganisations: ids, balances, what is kept and what is dropped.

use super::{Net, TRX, addr, delegate, transfer};
use crate::chain::ForkKeep;
use crate::state::View;

fn ids(net: &Net, from: i64) -> Vec<[u8; 32]> {
    (from..=net.chain.head())
        .map(|number| net.chain.block(number).unwrap().id)
        .collect()
}

#[test]
fn a_fork_replaces_blocks_by_a_longer_branch_and_keeps_valid_transactions() {
    let mut net = Net::funded();
    net.mine(25);
    let mut raw = net.raw(&transfer(1, 2, TRX));
    let solid = net.chain.block(net.chain.solid()).unwrap().clone();
    raw.ref_block_bytes = solid.id[6..8].to_vec();
    raw.ref_block_hash = solid.id[8..16].to_vec();
    let id = net.send_raw(raw, 1).unwrap();
    net.mine(3);
    let (head, old) = (net.chain.head(), ids(&net, net.chain.head() - 2));
    assert_eq!(net.chain.fork(3, &ForkKeep::Keep).unwrap(), head - 3);
    assert_eq!(net.chain.head(), head + 1);
    let new = ids(&net, head - 2);
    assert!(old.iter().all(|id| !new.contains(id)));
    for number in head - 3..=head {
        let (parent, child) = (net.chain.block(number).unwrap(), net.chain.block(number + 1).unwrap());
        assert_eq!(child.parent, parent.id);
        assert!(child.timestamp > parent.timestamp);
    }
    assert!(net.outcome(&id).is_some());
    assert_eq!(net.account(2).balance, 1_000_001 * TRX);
}

#[test]
fn a_transaction_that_refers_to_a_replaced_block_does_not_come_back() {
    let mut net = Net::funded();
    net.mine(3);
    let id = net.send(1, &transfer(1, 2, TRX)).unwrap();
    net.mine(2);
    net.chain.fork(3, &ForkKeep::Keep).unwrap();
    assert_eq!(net.outcome(&id), None);
    assert_eq!(net.account(2).balance, 1_000_000 * TRX);
}

#[test]
fn dropped_transactions_undo_their_effects_and_can_be_sent_again() {
    let mut net = Net::funded();
    net.mine(25);
    let before = net.account(1);
    let raw = net.raw(&delegate(1, 2, 7 * TRX));
    let other = net.send(1, &transfer(1, 2, TRX)).unwrap();
    let id = net.send_raw(raw.clone(), 1).unwrap();
    net.mine(1);
    let keep = ForkKeep::DropTxids(vec![hex::encode(id)]);
    net.chain.fork(1, &keep).unwrap();
    assert_eq!(net.outcome(&id), None);
    assert!(net.outcome(&other).is_some());
    assert_eq!((net.account(1).lent, net.account(2).borrowed), (before.lent, [0, 0]));
    assert_eq!(net.chain.state().delegation_index(View::Head, addr(1)).1, []);
    net.send_raw(raw, 1).unwrap();
    net.mine(1);
    assert_eq!(net.account(1).lent[1], 7 * TRX);
}

#[test]
fn drop_all_leaves_nothing_but_what_the_admin_did() {
    let mut net = Net::funded();
    net.mine(2);
    let id = net.send(1, &transfer(1, 2, TRX)).unwrap();
    net.credit(6, 5 * TRX);
    net.mine(2);
    net.chain.fork(2, &ForkKeep::DropAll).unwrap();
    assert_eq!(net.outcome(&id), None);
    assert_eq!(net.account(6).balance, 5 * TRX, "the admin's acts are done again");
    assert_eq!(net.account(1).balance, 1_000_000 * TRX);
}

#[test]
fn what_was_pending_stays_pending_or_goes_into_the_new_branch() {
    let mut net = Net::funded();
    net.mine(5);
    let raw = {
        let mut raw = net.raw(&transfer(1, 2, TRX));
        let base = net.chain.block(net.chain.head() - 3).unwrap().clone();
        raw.ref_block_bytes = base.id[6..8].to_vec();
        raw.ref_block_hash = base.id[8..16].to_vec();
        raw
    };
    let id = net.send_raw(raw, 1).unwrap();
    net.chain.fork(2, &ForkKeep::Keep).unwrap();
    assert!(net.outcome(&id).is_some());
}

#[test]
fn a_solidified_block_is_never_replaced() {
    let mut net = Net::funded();
    net.mine(30);
    let solid = net.chain.block(net.chain.solid()).unwrap().id;
    assert!(net.chain.fork(20, &ForkKeep::Keep).is_err());
    assert!(net.chain.fork(0, &ForkKeep::Keep).is_err());
    net.chain.fork(19, &ForkKeep::Keep).unwrap();
    assert_eq!(net.chain.block(net.chain.solid() - 1).unwrap().id, solid);
}

#[test]
fn repeated_forks_never_repeat_an_id() {
    let mut net = Net::funded();
    net.mine(5);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..10 {
        net.chain.fork(3, &ForkKeep::Keep).unwrap();
        for id in ids(&net, net.chain.head() - 3) {
            assert!(seen.insert(id));
        }
        assert!(net.chain.fork(1, &ForkKeep::DropTxids(vec!["zz".to_owned()])).is_err());
    }
}
