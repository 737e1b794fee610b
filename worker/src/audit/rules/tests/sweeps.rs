//! A sound sweep draws no complaint, and each thing that can be wrong with it draws the one that names it.

use std::collections::BTreeMap;

use db::models::{IntentKind, Sweep, SweepState, TxState};
use tron::PrivateKey;
use uuid::Uuid;

use super::world::{NETWORK, SUN, World, block_time, delegation, die, order, wallet_id};
use crate::audit::complaint::Rule;
use crate::audit::evidence::{Seen, SweepCase};

const FEE: i64 = 268_000;

/// The world with a sweep of coin that was completed in block 70.
fn world() -> World {
    let mut world = World::new();
    let to = PrivateKey::generate().unwrap().address();
    let mut like = delegation(&order(), to);
    like.id = Uuid::from_u128(70);
    let mut tx = world.transaction(IntentKind::Sweep, &like, 70);
    tx.fee_sun = Some(FEE);
    world.see(&tx, 70);
    let sweep = Sweep {
        id: like.id,
        network: NETWORK.to_owned(),
        asset: "TRX".into(),
        wallet_id: wallet_id(),
        state: SweepState::Completed,
        amount: Some(SUN),
        to_address: Some(to.to_string()),
        read_block: Some(66),
        attempts: 1,
        activation_sun: None,
        order_id: None,
        energy_failures: 0,
        reason_code: None,
        created_at: block_time(69),
        updated_at: block_time(89),
        ended_at: Some(block_time(89)),
    };
    world.books.sweeps = vec![SweepCase {
        fees: BTreeMap::from([(tx.txid.clone(), FEE)]),
        transactions: vec![tx],
        sweep,
    }];
    world
}

/// What each change breaks, and nothing else.
#[track_caller]
fn breaks(change: impl FnOnce(&mut World, &mut SweepCase), rules: &[Rule]) {
    let mut world = world();
    let mut case = world.books.sweeps.remove(0);
    change(&mut world, &mut case);
    world.books.sweeps.push(case);
    assert_eq!(world.broken(), rules.iter().copied().collect());
}

#[test]
fn a_sound_sweep_breaks_no_rule_live_or_at_rest() {
    breaks(|_, _| {}, &[]);
    breaks(|world, _| world.rigour.at_rest = true, &[]);
}

#[test]
fn what_was_collected_twice_or_by_a_sweep_that_is_not_over() {
    breaks(|_, case| case.sweep.state = SweepState::Cancelled, &[Rule::SweepOneEnd]);
    breaks(
        |_, case| {
            case.fees.clear();
            die(&mut case.transactions[0]);
        },
        &[Rule::SweepOneEnd, Rule::TransactionOnChain],
    );
    breaks(
        |world, case| {
            let mut second = case.transactions[0].clone();
            second.txid = "ab".repeat(32);
            second.fee_sun = None;
            world.see(&second, 75);
            second.block_number = Some(75);
            case.transactions.push(second);
        },
        &[Rule::SweepOneEnd, Rule::TransactionBytes],
    );
    breaks(
        |world, case| {
            world.chain.seen.insert(case.transactions[0].txid.clone(), Seen::Absent);
        },
        &[Rule::SweepOneEnd, Rule::TransactionOnChain],
    );
}

#[test]
fn bytes_and_fees_that_are_not_as_booked() {
    breaks(|_, case| case.sweep.amount = Some(SUN + 1), &[Rule::TransactionBytes]);
    breaks(|_, case| case.sweep.asset = "USDT".into(), &[Rule::TransactionBytes]);
    breaks(
        |_, case| case.sweep.to_address = Some("T".repeat(34)),
        &[Rule::TransactionBytes],
    );
    breaks(|_, case| case.fees.clear(), &[Rule::SweepFee]);
}

#[test]
fn what_is_open_for_too_long() {
    let open = |reason: &'static str| {
        move |world: &mut World, case: &mut SweepCase| {
            case.sweep.state = SweepState::Planned;
            case.sweep.ended_at = None;
            case.sweep.created_at = world.rigour.now - chrono::Duration::minutes(61);
            case.sweep.reason_code = Some(reason.to_owned());
            case.fees.clear();
            let tx = &mut case.transactions[0];
            die(tx);
            assert_eq!(tx.state, TxState::Dead);
            world.chain.seen.insert(tx.txid.clone(), Seen::Absent);
        }
    };
    breaks(open("no_treasury_receives"), &[Rule::SweepInTime]);
    breaks(open("bandwidth_short"), &[]);
}
