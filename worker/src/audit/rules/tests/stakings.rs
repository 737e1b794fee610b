//! A sound staking draws no complaint, and each thing that can be wrong with it draws the one that names it.

use db::models::{IntentKind, StakeResource, Staking, StakingAction, StakingSource, StakingState};
use tron::PrivateKey;
use uuid::Uuid;

use super::world::{NETWORK, SUN, World, block_time, delegation, die, order, wallet_id};
use crate::audit::complaint::Rule;
use crate::audit::evidence::{Seen, StakeCase};

/// The world with stake for energy that is done, in block 70.
fn world() -> World {
    let mut world = World::new();
    let mut like = delegation(&order(), PrivateKey::generate().unwrap().address());
    like.id = Uuid::from_u128(70);
    let tx = world.transaction(IntentKind::Stake, &like, 70);
    world.see(&tx, 70);
    let staking = Staking {
        id: like.id,
        network: NETWORK.to_owned(),
        wallet_id: wallet_id(),
        action: StakingAction::Stake,
        resource: Some(StakeResource::Energy),
        amount_sun: Some(SUN),
        state: StakingState::Done,
        source: StakingSource::Operator,
        requested_by: "operator:anna".into(),
        reason: "more energy".into(),
        attempts: 1,
        moved_sun: None,
        block_number: Some(70),
        reason_code: None,
        created_at: block_time(69),
        updated_at: block_time(89),
        ended_at: Some(block_time(89)),
    };
    world.books.stakings = vec![StakeCase {
        staking,
        transactions: vec![tx],
    }];
    world
}

/// What each change breaks, and nothing else.
#[track_caller]
fn breaks(change: impl FnOnce(&mut World, &mut StakeCase), rules: &[Rule]) {
    let mut world = world();
    let mut case = world.books.stakings.remove(0);
    change(&mut world, &mut case);
    world.books.stakings.push(case);
    assert_eq!(world.broken(), rules.iter().copied().collect());
}

#[test]
fn a_sound_staking_breaks_no_rule_live_or_at_rest() {
    breaks(|_, _| {}, &[]);
    breaks(|world, _| world.rigour.at_rest = true, &[]);
}

#[test]
fn what_was_staked_twice_or_by_a_staking_that_is_not_done() {
    for state in [StakingState::Failed, StakingState::Cancelled] {
        breaks(|_, case| case.staking.state = state, &[Rule::StakingOneEnd]);
    }
    breaks(|_, case| case.staking.block_number = Some(71), &[Rule::StakingOneEnd]);
    breaks(
        |_, case| die(&mut case.transactions[0]),
        &[Rule::StakingOneEnd, Rule::TransactionOnChain],
    );
    breaks(
        |world, case| {
            let mut second = case.transactions[0].clone();
            second.txid = "ab".repeat(32);
            world.see(&second, 70);
            case.transactions.push(second);
        },
        &[Rule::StakingOneEnd, Rule::TransactionBytes],
    );
    breaks(
        |world, case| {
            world.chain.seen.insert(case.transactions[0].txid.clone(), Seen::Absent);
        },
        &[Rule::StakingOneEnd, Rule::TransactionOnChain],
    );
}

#[test]
fn bytes_that_are_not_as_asked_for() {
    breaks(
        |_, case| case.staking.amount_sun = Some(SUN + 1),
        &[Rule::TransactionBytes],
    );
    breaks(
        |_, case| case.staking.resource = Some(StakeResource::Bandwidth),
        &[Rule::TransactionBytes],
    );
    for action in [StakingAction::Unstake, StakingAction::Withdraw, StakingAction::Cancel] {
        breaks(|_, case| case.staking.action = action, &[Rule::TransactionBytes]);
    }
    breaks(
        |_, case| case.staking.wallet_id = Uuid::from_u128(9),
        &[Rule::TransactionBytes],
    );
}

#[test]
fn what_is_open_for_too_long() {
    breaks(
        |world, case| {
            case.staking.state = StakingState::Requested;
            case.staking.ended_at = None;
            case.staking.block_number = None;
            case.staking.created_at = world.rigour.now - chrono::Duration::minutes(61);
            die(&mut case.transactions[0]);
            let txid = case.transactions[0].txid.clone();
            world.chain.seen.insert(txid, Seen::Absent);
        },
        &[Rule::StakingInTime],
    );
}
