//! A sound payout draws no complaint, and each thing that can be wrong with it draws the one that names it.

use std::collections::BTreeMap;

use db::models::{IntentKind, Outcome, Payout, PayoutState, TxState};
use domain::reconcile::PayoutFigures;
use kernel::Asset;
use ledger::{PayoutTransfer, Reason};
use tron::PrivateKey;
use uuid::Uuid;

use super::world::{NETWORK, SUN, World, block_time, delegation, die, order};
use crate::audit::complaint::Rule;
use crate::audit::evidence::{PayoutCase, Seen};

const FEE: i64 = 345_000;

/// The world with a payout that was completed in block 70.
fn world() -> World {
    let mut world = World::new();
    let to = PrivateKey::generate().unwrap().address();
    let mut like = delegation(&order(), to);
    like.id = Uuid::from_u128(70);
    let mut tx = world.transaction(IntentKind::Payout, &like, 70);
    tx.fee_sun = Some(FEE);
    world.see(&tx, 70);
    let payout = Payout {
        id: like.id,
        user_id: 7,
        network: NETWORK.to_owned(),
        asset: "TRX".into(),
        amount: SUN,
        to_address: to.to_string(),
        state: PayoutState::Completed,
        needs_approval: false,
        requested_by: "api_key:x".into(),
        approved_by: None,
        approved_at: Some(block_time(69)),
        attempts: 1,
        reason_code: None,
        created_at: block_time(69),
        updated_at: block_time(89),
        ended_at: Some(block_time(89)),
    };
    world.books.payouts = vec![PayoutCase {
        transfers: vec![
            moved(Reason::PayoutHold, "user:7:TRX", "house:payouts:TRX"),
            moved(Reason::PayoutSettle, "house:payouts:TRX", "house:deposits:tron:TRX"),
        ],
        fees: BTreeMap::from([(tx.txid.clone(), FEE)]),
        transactions: vec![tx],
        payout,
    }];
    world
}

fn moved(reason: Reason, debit: &str, credit: &str) -> PayoutTransfer {
    PayoutTransfer {
        payout: Some(Uuid::from_u128(70)),
        reason,
        debit: debit.into(),
        credit: credit.into(),
        minor: SUN,
    }
}

fn void() -> PayoutTransfer {
    moved(Reason::PayoutVoid, "house:payouts:TRX", "user:7:TRX")
}

/// What each change breaks, and nothing else.
#[track_caller]
fn breaks(change: impl FnOnce(&mut World, &mut PayoutCase), rules: &[Rule]) {
    let mut world = world();
    let mut case = world.books.payouts.remove(0);
    change(&mut world, &mut case);
    world.books.payouts.push(case);
    assert_eq!(world.broken(), rules.iter().copied().collect());
}

#[test]
fn a_sound_payout_breaks_no_rule_live_or_at_rest() {
    breaks(|_, _| {}, &[]);
    breaks(|world, _| world.rigour.at_rest = true, &[]);
}

#[test]
fn money_that_did_not_move_as_the_payout_says() {
    breaks(|_, case| case.transfers.truncate(1), &[Rule::PayoutMoney]);
    breaks(|_, case| case.transfers[0].minor += 1, &[Rule::PayoutMoney]);
    breaks(|_, case| case.transfers.push(void()), &[Rule::PayoutMoney]);
    breaks(|_, case| case.fees.clear(), &[Rule::PayoutFee]);
    let figures = PayoutFigures {
        asset: Asset::Trx,
        set_aside: 1,
        open: 0,
    };
    breaks(
        |world, _| world.books.house.payouts.push(figures),
        &[Rule::SetAsideIsOpenPayouts],
    );
}

#[test]
fn what_was_paid_twice_or_paid_and_given_back() {
    breaks(
        |_, case| {
            case.payout.state = PayoutState::Failed;
            case.transfers[1] = void();
        },
        &[Rule::PayoutOneEnd],
    );
    // held for dead, given back, and landed all the same
    breaks(
        |_, case| {
            case.payout.state = PayoutState::Failed;
            case.transfers[1] = void();
            case.fees.clear();
            die(&mut case.transactions[0]);
        },
        &[Rule::PayoutOneEnd, Rule::TransactionOnChain],
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
        &[Rule::PayoutOneEnd, Rule::TransactionBytes],
    );
    breaks(
        |world, case| {
            world.chain.seen.insert(case.transactions[0].txid.clone(), Seen::Absent);
        },
        &[Rule::PayoutOneEnd, Rule::TransactionOnChain],
    );
}

#[test]
fn bytes_that_pay_something_else() {
    breaks(
        |_, case| case.payout.to_address = "T".repeat(34),
        &[Rule::TransactionBytes],
    );
    breaks(
        |_, case| case.payout.asset = "USDT".into(),
        &[Rule::PayoutMoney, Rule::TransactionBytes],
    );
    breaks(
        |world, _| world.books.wallets.values_mut().for_each(|address| address.push('x')),
        &[Rule::TransactionBytes],
    );
}

#[test]
fn what_is_open_for_too_long() {
    breaks(
        |world, case| {
            case.payout.state = PayoutState::Approved;
            case.payout.ended_at = None;
            case.payout.approved_at = Some(world.rigour.now - chrono::Duration::minutes(16));
            case.transfers.truncate(1);
            case.fees.clear();
            let tx = &mut case.transactions[0];
            tx.state = TxState::Dead;
            tx.outcome = None::<Outcome>;
            world.chain.seen.insert(tx.txid.clone(), Seen::Absent);
        },
        &[Rule::PayoutInTime],
    );
}
