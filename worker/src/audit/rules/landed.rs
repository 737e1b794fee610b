//! Our books against what the chain carries. Where the chain was not asked about a transaction, the books are believed.

use chain::TxOutcome;
use db::models::{ChainTransaction, Delegation, DelegationState, IntentKind, OrderState, Outcome, TxState};

use crate::audit::complaint::{Complaint, Rule};
use crate::audit::evidence::{Books, Case, OnChain, Rigour, Seen};

/// What the chain carries and should not.
pub(super) fn of_chain(chain: &OnChain, rigour: &Rigour) -> Vec<Complaint> {
    let strangers = chain.strangers.iter();
    let strangers = strangers.filter(|txid| !rigour.expected_strangers.contains(*txid));
    let strangers = strangers.map(|txid| (txid, format!("stranger on chain: {txid}")));
    let twice = chain.twice.iter();
    let twice = twice.map(|txid| (txid, format!("the chain carries {txid} twice")));
    strangers
        .chain(twice)
        .map(|(txid, text)| Complaint::new(Rule::ChainStranger, format!("transaction:{txid}"), text))
        .collect()
}

/// One order against the chain.
pub(super) fn of_case(case: &Case, books: &Books, chain: &OnChain, rigour: &Rigour) -> Vec<Complaint> {
    let mut complaints: Vec<Complaint> = case
        .transactions
        .iter()
        .filter_map(|tx| of_transaction(tx, books, chain))
        .collect();
    complaints.extend(one_end(case, chain, rigour));
    complaints.extend(
        case.delegations
            .iter()
            .filter_map(|delegation| of_delegation(case, delegation, chain, rigour)),
    );
    complaints
}

pub(super) fn of_transaction(tx: &ChainTransaction, books: &Books, chain: &OnChain) -> Option<Complaint> {
    let seen = chain.seen.get(&tx.txid)?;
    let solid = books.networks.get(&tx.network).map_or(0, |cursor| cursor.solid_number);
    let wrong = match (tx.state, seen) {
        (TxState::Final, Seen::Absent) => "not on the chain".to_owned(),
        (TxState::Final, Seen::Landed { block, outcome }) => {
            let same = tx.block_number == Some(*block) && tx.outcome == Some(booked(*outcome));
            if same {
                return None;
            }
            format!("on the chain in block {block}, {outcome:?}")
        }
        (TxState::Dead, Seen::Landed { block, .. }) => format!("on the chain in block {block}"),
        // a block below the one that we hold for solid was read, and this should have been in it
        (TxState::Signed | TxState::Sent, Seen::Landed { block, .. }) if *block <= solid => {
            format!("on the chain in block {block}, which we have read")
        }
        _ => return None,
    };
    let text = format!("transaction {} is {} in our books, and {wrong}", tx.txid, tx.state);
    Some(Complaint::new(
        Rule::TransactionOnChain,
        format!("transaction:{}", tx.txid),
        text,
    ))
}

const fn booked(outcome: TxOutcome) -> Outcome {
    match outcome {
        TxOutcome::Ok => Outcome::Ok,
        TxOutcome::Failed => Outcome::Failed,
    }
}

/// Whether a transaction took effect: by the chain where that was asked, else by our books.
pub(super) fn took_effect(tx: &ChainTransaction, chain: &OnChain) -> bool {
    match chain.seen.get(&tx.txid) {
        Some(Seen::Landed { outcome, .. }) => *outcome == TxOutcome::Ok,
        Some(Seen::Absent) => false,
        None => matches!(tx.state, TxState::Included | TxState::Final) && tx.outcome == Some(Outcome::Ok),
    }
}

/// Delivered once, whole, and paid, or not delivered and the money back. An open order never had more than was ordered.
/// Strays deliver nothing.
fn one_end(case: &Case, chain: &OnChain, rigour: &Rigour) -> Option<Complaint> {
    let order = &case.order;
    let made = case.transactions.iter();
    let made = made.filter(|tx| tx.intent_kind == IntentKind::Delegate && took_effect(tx, chain));
    let energy = |tx: &ChainTransaction| {
        let of = case.delegations.iter().find(|d| d.id == tx.intent_id && !d.stray);
        of.map_or(0, |delegation| delegation.energy)
    };
    let made: i64 = made.map(energy).sum();
    let right = match order.state {
        OrderState::Completed if order.settled_at.is_some() => made == order.energy,
        OrderState::Cancelled | OrderState::Refunded => made == 0,
        OrderState::Completed | OrderState::Pending | OrderState::Processing => made <= order.energy && !rigour.at_rest,
        OrderState::Failed => false,
    };
    (!right).then(|| {
        let text = format!(
            "order {} is {}, settled {:?}, with {made} of {} energy delegated on chain",
            order.id, order.state, order.settled_at, order.energy
        );
        Complaint::new(Rule::OrderOneEnd, case.subject(), text)
    })
}

/// Made once and undone once, or not at all, as its state says. What is in motion may be either.
fn of_delegation(case: &Case, delegation: &Delegation, chain: &OnChain, rigour: &Rigour) -> Option<Complaint> {
    use DelegationState::{Active, Reclaimed, Reclaiming, Released, Reserved};
    let count = |kind| {
        let of_it = case.transactions_of(delegation.id);
        of_it
            .filter(|tx| tx.intent_kind == kind && took_effect(tx, chain))
            .count()
    };
    let counted = (count(IntentKind::Delegate), count(IntentKind::Reclaim));
    let right = match delegation.state {
        Active => counted == (1, 0),
        Reclaimed => counted == (1, 1),
        Released => counted == (0, 0),
        Reserved => matches!(counted, (0 | 1, 0)) && !rigour.at_rest,
        Reclaiming => matches!(counted, (1, 0 | 1)) && !rigour.at_rest,
    };
    (!right).then(|| {
        let text = format!(
            "delegation {} is {}, made and undone on chain {counted:?}",
            delegation.id, delegation.state
        );
        Complaint::new(Rule::DelegationOnChain, format!("delegation:{}", delegation.id), text)
    })
}
