//! Whatever is sent, mined and reorganised: no TRX appears or vanishes, and what is lent equals what is borrowed.

use proptest::prelude::*;
use tron::proto::{CancelAllUnfreezeV2Contract, UnfreezeBalanceV2Contract};

use super::token::pay;
use super::{Net, TRX, addr, bytes, delegate, freeze, locked, transfer, undelegate};
use crate::chain::{AdminOp, ForkKeep};
use crate::state::{Resource, View};
use crate::wire::Op;

const ACCOUNTS: [u8; 5] = [1, 2, 3, 4, 5];
const CREDITED: i64 = 4 * (100_000 + 50_000) * TRX;

#[derive(Debug, Clone)]
enum Step {
    Send { kind: u8, from: u8, to: u8, amount: i64 },
    Mine(u64),
    Pass(i64),
    Fork(u64, bool),
}

fn steps() -> impl Strategy<Value = Step> {
    let amount = prop_oneof![1..10 * TRX, 1..60_000 * TRX];
    prop_oneof![
        8 => (0..8_u8, 1..=4_u8, 1..=5_u8, amount).prop_map(|(kind, from, to, amount)| Step::Send { kind, from, to, amount }),
        3 => (1..4_u64).prop_map(Step::Mine),
        1 => (1..2_000_000_i64).prop_map(Step::Pass),
        1 => (1..5_u64, any::<bool>()).prop_map(|(depth, drop)| Step::Fork(depth, drop)),
    ]
}

/// An operation that has a fair chance to be valid.
fn op(net: &Net, kind: u8, from: u8, to: u8, amount: i64) -> Op {
    let lent = net
        .chain
        .state()
        .delegation(&(addr(from), addr(to), false))
        .map_or(1, |record| record.sun[1].max(1));
    match kind {
        0 => transfer(from, to, amount),
        1 => freeze(from, amount, i32::from(to % 2)),
        2 => Op::Unfreeze(UnfreezeBalanceV2Contract {
            owner_address: bytes(from),
            unfreeze_balance: amount,
            resource: i32::from(to % 2),
        }),
        3 => Op::CancelAll(CancelAllUnfreezeV2Contract {
            owner_address: bytes(from),
        }),
        4 => delegate(from, to, amount),
        5 => locked(from, to, amount, amount % 1_000),
        6 => undelegate(from, to, amount.min(lent)),
        _ => pay(from, to, amount.unsigned_abs().into()),
    }
}

fn check(net: &Net) {
    let state = net.chain.state();
    let accounts: Vec<_> = ACCOUNTS.iter().filter_map(|n| state.account(&addr(*n))).collect();
    for account in &accounts {
        assert!(account.balance >= 0);
        assert!(
            account
                .frozen
                .iter()
                .chain(&account.lent)
                .chain(&account.borrowed)
                .all(|sun| *sun >= 0)
        );
    }
    let held: i64 = accounts
        .iter()
        .map(|a| {
            a.balance
                + a.frozen[0]
                + a.frozen[1]
                + a.lent[0]
                + a.lent[1]
                + a.unfreezing.iter().map(|u| u.sun).sum::<i64>()
        })
        .sum();
    assert_eq!(held + state.market().burned_sun, CREDITED, "TRX is kept");
    for i in [0, 1] {
        let lent: i64 = accounts.iter().map(|a| a.lent[i]).sum();
        let borrowed: i64 = accounts.iter().map(|a| a.borrowed[i]).sum();
        let mut recorded = 0;
        for from in ACCOUNTS {
            for to in ACCOUNTS {
                for side in [false, true] {
                    recorded += state
                        .delegation(&(addr(from), addr(to), side))
                        .map_or(0, |record| record.sun[i]);
                }
            }
        }
        assert_eq!((lent, borrowed), (recorded, recorded));
    }
    let tokens: u128 = ACCOUNTS.iter().map(|n| state.usdt(View::Head, &addr(*n))).sum();
    assert_eq!(tokens, state.usdt_supply());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_appears_or_vanishes(steps in prop::collection::vec(steps(), 1..60)) {
        let mut net = Net::new();
        for n in 1..=4 {
            net.credit(n, 100_000 * TRX);
            net.stake(n, Resource::Energy, 50_000 * TRX);
            net.chain.admin(AdminOp::Mint { address: addr(n), micro: 50_000_000 });
        }
        net.mine(25);
        for step in steps {
            match step {
                Step::Send { kind, from, to, amount } => {
                    // A refusal is fine here: it must only leave no trace.
                    let op = op(&net, kind, from, to, amount);
                    let _judged = net.send(from, &op);
                }
                Step::Mine(count) => net.mine(count),
                Step::Pass(seconds) => net.pass(seconds),
                Step::Fork(depth, drop) => {
                    let keep = if drop { ForkKeep::DropAll } else { ForkKeep::Keep };
                    net.chain.fork(depth, &keep).unwrap();
                }
            }
            check(&net);
        }
    }
}
