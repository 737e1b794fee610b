//! A sound order draws no complaint, and each thing that can be wrong with it draws the one that names it.

mod payouts;
mod stakings;
mod sweeps;
mod world;

use chrono::{DateTime, Duration, Utc};
use db::models::{DelegationState, IntentKind, OrderState, TxState};
use domain::reconcile::lent::LentBounds;
use domain::reconcile::{LedgerDifference, Undecided};
use ledger::Reason;
use tron::PrivateKey;
use uuid::Uuid;

use crate::audit::complaint::Rule;
use crate::audit::evidence::{Case, Seen};
use world::{NETWORK, SUN, World, block_time, die, noon, transfer, wallet_id};

/// What each change breaks, and nothing else.
#[track_caller]
fn breaks(change: impl FnOnce(&mut World), rules: &[Rule]) {
    let mut world = World::new();
    change(&mut world);
    assert_eq!(world.broken(), rules.iter().copied().collect());
}

#[test]
fn a_sound_order_breaks_no_rule_live_or_at_rest() {
    breaks(|_| {}, &[]);
    breaks(|world| world.rigour.at_rest = true, &[]);
}

#[test]
fn what_came_in_and_the_ledger_does_not_know_so() {
    let difference = LedgerDifference {
        event: "deposit:nile:ab:-1:credit".into(),
        recorded: Some("house:deposits:nile:TRX > user:7:TRX 5".into()),
        posted: None,
    };
    breaks(
        |world| world.books.house.deposits.push(difference),
        &[Rule::DepositMoney],
    );
    let waiting = Undecided {
        id: Uuid::nil(),
        network: "nile".into(),
        txid: "ab".into(),
        block_number: 7,
    };
    breaks(
        |world| world.books.house.undecided.push(waiting),
        &[Rule::DepositInTime],
    );
}

#[test]
fn an_exchange_that_the_ledger_does_not_know_so() {
    let difference = LedgerDifference {
        event: "exchange:00000000-0000-0000-0000-000000000001:trx".into(),
        recorded: None,
        posted: Some("house:exchange:TRX > user:7:TRX 5".into()),
    };
    breaks(
        |world| world.books.house.exchanges.push(difference),
        &[Rule::ExchangeMoney],
    );
}

#[test]
fn money_that_did_not_move_as_the_order_says() {
    breaks(|world| world.case().transfers.truncate(1), &[Rule::OrderMoney]);
    breaks(|world| world.case().transfers[0].minor -= 1, &[Rule::OrderMoney]);
    breaks(
        |world| world.case().transfers[1].credit = "user:7:TRX".into(),
        &[Rule::OrderMoney],
    );
    breaks(
        |world| {
            let order = world.case().order.clone();
            let refund = transfer(&order, Reason::OrderRefund, "house:escrow:TRX", "user:7:TRX");
            world.case().transfers.push(refund);
        },
        &[Rule::OrderMoney],
    );
    // delivered, and the money back
    breaks(
        |world| {
            let case = world.case();
            case.order.state = OrderState::Refunded;
            case.order.settled_at = None;
            let refund = transfer(&case.order, Reason::OrderRefund, "house:escrow:TRX", "user:7:TRX");
            case.transfers[1] = refund;
        },
        &[Rule::OrderOneEnd, Rule::OrderDelegation],
    );
    breaks(|world| world.books.house.escrow.escrow = 1, &[Rule::EscrowIsOpenOrders]);
}

#[test]
fn what_the_chain_carries_and_the_books_do_not() {
    // held for dead, given back, and landed all the same
    breaks(
        |world| {
            let case = world.case();
            case.order.state = OrderState::Refunded;
            case.order.settled_at = None;
            case.transfers[1] = transfer(&case.order, Reason::OrderRefund, "house:escrow:TRX", "user:7:TRX");
            case.delegations[0].state = DelegationState::Released;
            case.transactions.truncate(1);
            die(&mut case.transactions[0]);
        },
        &[Rule::OrderOneEnd, Rule::DelegationOnChain, Rule::TransactionOnChain],
    );
    // a second delegation of the order, made by a transaction that we held for dead
    breaks(
        |world| {
            let mut first = world.case().delegations[0].clone();
            first.id = Uuid::from_u128(6);
            first.state = DelegationState::Released;
            let mut dead = world.transaction(IntentKind::Delegate, &first, 39);
            world.see(&dead, 39);
            die(&mut dead);
            world.case().delegations.push(first);
            world.case().transactions.push(dead);
        },
        &[Rule::OrderOneEnd, Rule::DelegationOnChain, Rule::TransactionOnChain],
    );
    // the same, and an operator has adopted it: it is taken back like any other
    breaks(
        |world| {
            let mut stray = world.case().delegations[0].clone();
            stray.id = Uuid::from_u128(6);
            stray.stray = true;
            stray.block_number = Some(39);
            stray.reclaim_block_number = Some(91);
            for (kind, block) in [(IntentKind::Delegate, 39), (IntentKind::Reclaim, 91)] {
                let tx = world.transaction(kind, &stray, block);
                world.see(&tx, block);
                world.case().transactions.push(tx);
            }
            world.case().delegations.push(stray);
        },
        &[],
    );
    breaks(
        |world| world.chain.strangers.push("f".repeat(64)),
        &[Rule::ChainStranger],
    );
    breaks(|world| world.chain.twice.push("f".repeat(64)), &[Rule::ChainStranger]);
    breaks(
        |world| {
            world.chain.strangers.push("f".repeat(64));
            world.rigour.expected_strangers.insert("f".repeat(64));
        },
        &[],
    );
}

#[test]
fn what_the_books_carry_and_the_chain_does_not() {
    breaks(
        |world| {
            let txid = world.case().transactions[1].txid.clone();
            world.chain.seen.insert(txid, Seen::Absent);
        },
        &[Rule::TransactionOnChain, Rule::DelegationOnChain],
    );
    // in another block, or with another outcome
    breaks(
        |world| {
            let tx = world.case().transactions[0].clone();
            world.see(&tx, 41);
        },
        &[Rule::TransactionOnChain],
    );
    // what was not asked for is believed
    breaks(|world| world.chain.seen.clear(), &[]);
}

#[test]
fn states_that_do_not_go_together() {
    breaks(
        |world| {
            let case = world.case();
            case.delegations[0].state = DelegationState::Active;
        },
        &[Rule::DelegationTransactions, Rule::DelegationOnChain],
    );
    breaks(
        |world| world.case().delegations[0].block_number = Some(41),
        &[Rule::DelegationTransactions],
    );
    breaks(
        |world| world.case().order.state = OrderState::Processing,
        &[Rule::OrderMoney, Rule::OrderDelegation],
    );
}

#[test]
fn bytes_that_say_something_else() {
    let bent: [fn(&mut Case); 4] = [
        |case| case.delegations[0].amount_sun += 1,
        |case| case.delegations[0].receiver = PrivateKey::generate().unwrap().address().to_string(),
        |case| case.transactions[1].raw = case.transactions[0].raw.clone(),
        |case| case.transactions[0].raw.truncate(20),
    ];
    for bend in bent {
        breaks(|world| bend(world.case()), &[Rule::TransactionBytes]);
    }
    breaks(
        |world| {
            let other = PrivateKey::generate().unwrap().address();
            world.books.wallets.insert(wallet_id(), other.to_string());
        },
        &[Rule::TransactionBytes],
    );
}

/// An order on its way: signed and sent, with the money in escrow.
fn on_its_way(world: &mut World, expires_at: DateTime<Utc>) {
    let case = world.case();
    case.order.state = OrderState::Processing;
    case.order.settled_at = None;
    case.transfers.truncate(1);
    case.delegations[0].state = DelegationState::Reserved;
    case.transactions.truncate(1);
    die(&mut case.transactions[0]);
    case.transactions[0].state = TxState::Sent;
    case.transactions[0].death_cause = None;
    case.transactions[0].expires_at = expires_at;
    world.chain.seen.clear();
}

#[test]
fn what_is_on_its_way_is_fine_live_until_its_time_is_up() {
    // whether it has landed already or not; but a block that we have read must not hide it
    for (block, rules) in [
        (None, &[][..]),
        (Some(110), &[]),
        (Some(99), &[Rule::TransactionOnChain]),
    ] {
        breaks(
            |world| {
                on_its_way(world, noon());
                let tx = world.case().transactions[0].clone();
                world.chain.seen.insert(tx.txid.clone(), Seen::Absent);
                if let Some(block) = block {
                    world.see(&tx, block);
                }
            },
            rules,
        );
    }
    breaks(
        |world| on_its_way(world, noon() - Duration::seconds(301)),
        &[Rule::TransactionInTime],
    );
    breaks(
        |world| {
            on_its_way(world, noon());
            world.rigour.now = world.case().order.deadline_at + Duration::seconds(901);
        },
        &[Rule::OrderInTime],
    );
    breaks(
        |world| {
            on_its_way(world, noon());
            let txid = world.case().transactions[0].txid.clone();
            world.chain.seen.insert(txid, Seen::Absent);
            world.rigour.at_rest = true;
        },
        &[Rule::OrderOneEnd, Rule::TransactionInTime, Rule::DelegationOnChain],
    );
}

#[test]
fn a_rental_long_past_its_end() {
    breaks(
        |world| {
            let case = world.case();
            case.delegations[0].state = DelegationState::Active;
            case.transactions.truncate(1);
            world.books.networks.get_mut(NETWORK).unwrap().head_time = block_time(60) + Duration::seconds(901);
        },
        &[Rule::DelegationInTime],
    );
}

#[test]
fn what_is_lent_and_not_booked() {
    let lends = |sun, least, most| {
        move |world: &mut World| {
            world.chain.lent[0].sun = sun;
            world.chain.lent[0].booked = LentBounds { least, most };
        }
    };
    breaks(lends(SUN, SUN, SUN), &[]);
    breaks(lends(SUN, 0, 2 * SUN), &[]);
    for (sun, least, most) in [(0, SUN, SUN), (SUN, 0, 0), (SUN + 1, 0, SUN), (SUN - 1, SUN, 2 * SUN)] {
        breaks(lends(sun, least, most), &[Rule::WalletLent]);
    }
    breaks(
        |world| {
            world.chain.stake.insert(wallet_id(), 1);
        },
        &[Rule::WalletStake],
    );
}

#[test]
fn what_is_left_to_do_and_what_waits_for_an_operator() {
    breaks(
        |world| world.books.house.jobs.push("dead wallets.sync x".into()),
        &[Rule::JobLeft],
    );
    breaks(
        |world| world.books.house.findings.push("pool.low_stock tron {}".into()),
        &[Rule::Finding],
    );
    breaks(
        |world| {
            world.books.house.findings.push("pool.low_stock tron {}".into());
            world.rigour.expected_findings.insert("pool.low_stock".into());
        },
        &[],
    );
    breaks(
        |world| {
            world.books.silent_s.insert(NETWORK.into(), 121);
        },
        &[Rule::ChainRead],
    );
    breaks(
        |world| world.books.networks.get_mut(NETWORK).unwrap().halted_reason = Some("a fork".into()),
        &[Rule::ChainRead],
    );
}
