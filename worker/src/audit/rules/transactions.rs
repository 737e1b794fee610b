//! Signed transactions against the delegations that they make and undo, by our books alone.

use chrono::Duration;
use db::models::{ChainTransaction, Delegation, DelegationState, IntentKind, Outcome, TxState};
use domain::reconcile::OVERDUE_AFTER;
use tron::ContractBody;

use super::Context;
use crate::audit::complaint::{Complaint, Rule};
use crate::audit::evidence::Case;

/// How long after a solidified block proved a transaction's end that end may be unrecorded.
const PATIENCE: Duration = Duration::minutes(5);

pub(super) fn of_case(case: &Case, context: &Context<'_>) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for tx in &case.transactions {
        complaints.extend(bytes(case, tx, context));
        complaints.extend(in_time(tx, context));
    }
    for delegation in &case.delegations {
        complaints.extend(of_delegation(case, delegation));
        complaints.extend(delegation_in_time(delegation, context));
    }
    complaints
}

/// The stored bytes have the stored id and say what was booked.
fn bytes(case: &Case, tx: &ChainTransaction, context: &Context<'_>) -> Option<Complaint> {
    let complain = |text: String| Complaint::new(Rule::TransactionBytes, subject(tx), text);
    let Some(delegation) = case.delegations.iter().find(|d| d.id == tx.intent_id) else {
        return Some(complain("is for no delegation of its order".into()));
    };
    let decoded = match tron::decode_transaction(&tx.raw) {
        Ok(decoded) => decoded,
        Err(error) => return Some(complain(format!("cannot be read: {error}"))),
    };
    let says = match decoded.unsigned.contract {
        ContractBody::Delegate {
            owner,
            receiver,
            balance_sun,
            ..
        } => Some((IntentKind::Delegate, owner, receiver, balance_sun)),
        ContractBody::UnDelegate {
            owner,
            receiver,
            balance_sun,
            ..
        } => Some((IntentKind::Reclaim, owner, receiver, balance_sun)),
        _ => None,
    };
    let right = says.is_some_and(|(kind, owner, receiver, sun)| {
        kind == tx.intent_kind
            && context.wallets.get(&delegation.wallet_id) == Some(&owner.to_string())
            && delegation.wallet_id == tx.wallet_id
            && receiver.to_string() == delegation.receiver
            && sun == delegation.amount_sun
    });
    if decoded.txid.to_string() != tx.txid {
        return Some(complain(format!("its bytes are those of {}", decoded.txid)));
    }
    (!right).then(|| complain(format!("was signed as {says:?}, booked is {delegation:?}")))
}

/// Final or dead once the blocks say so; at rest, always.
pub(super) fn in_time(tx: &ChainTransaction, context: &Context<'_>) -> Option<Complaint> {
    if matches!(tx.state, TxState::Final | TxState::Dead) {
        return None;
    }
    let solid = context.networks.get(&tx.network);
    let ended_at = if tx.state == TxState::Included {
        tx.block_time
    } else {
        Some(tx.expires_at)
    };
    let late = solid
        .zip(ended_at)
        .is_some_and(|(cursor, at)| at + PATIENCE < cursor.solid_time);
    (late || context.rigour.at_rest).then(|| {
        let text = format!("transaction {} has not come to an end: {}", tx.txid, tx.state);
        Complaint::new(Rule::TransactionInTime, subject(tx), text)
    })
}

/// What a delegation's state says of its transactions: the one that made it and the one that undid it.
fn of_delegation(case: &Case, delegation: &Delegation) -> Option<Complaint> {
    use DelegationState::{Active, Reclaimed, Reclaiming, Released, Reserved};
    use IntentKind::{Delegate, Reclaim};
    let of = |kind| {
        case.transactions_of(delegation.id)
            .filter(move |tx| tx.intent_kind == kind)
    };
    let landed = |kind| of(kind).filter(|tx| has_landed(tx)).count();
    let on_its_way = |kind| of(kind).filter(|tx| may_land(tx)).count();
    let figures = (
        (landed(Delegate), on_its_way(Delegate)),
        (landed(Reclaim), on_its_way(Reclaim)),
    );
    let right = match delegation.state {
        Reserved => figures == ((0, 1), (0, 0)),
        Active => figures == ((1, 0), (0, 0)),
        Reclaiming => figures == ((1, 0), (0, 1)),
        Reclaimed => figures == ((1, 0), (1, 0)),
        Released => figures == ((0, 0), (0, 0)),
    };
    let at = |kind| of(kind).find(|tx| has_landed(tx)).and_then(|tx| tx.block_number);
    let made_at = matches!(delegation.state, Reserved | Released) || at(Delegate) == delegation.block_number;
    let undone_at = delegation.state != Reclaimed || at(Reclaim) == delegation.reclaim_block_number;
    (!right || !made_at || !undone_at).then(|| {
        let text = format!(
            "is {}, its transactions (landed, on their way) {figures:?}, same blocks {}",
            delegation.state,
            made_at && undone_at
        );
        Complaint::new(
            Rule::DelegationTransactions,
            format!("delegation:{}", delegation.id),
            text,
        )
    })
}

pub(super) fn has_landed(tx: &ChainTransaction) -> bool {
    matches!(tx.state, TxState::Included | TxState::Final) && tx.outcome == Some(Outcome::Ok)
}

/// What failed in a block is on its way until that block is final: its intent is not free yet.
pub(super) fn may_land(tx: &ChainTransaction) -> bool {
    match tx.state {
        TxState::Signed | TxState::Sent => true,
        TxState::Included => tx.outcome == Some(Outcome::Failed),
        TxState::Final | TxState::Dead => false,
    }
}

/// By the chain's clock, as rentals run.
fn delegation_in_time(delegation: &Delegation, context: &Context<'_>) -> Option<Complaint> {
    let on_chain = matches!(delegation.state, DelegationState::Active | DelegationState::Reclaiming);
    let cursor = context.networks.get(&delegation.network)?;
    let ends_at = delegation.ends_at.filter(|_| on_chain)?;
    (ends_at + OVERDUE_AFTER < cursor.head_time).then(|| {
        let text = format!("is {}, although it ended at {ends_at}", delegation.state);
        Complaint::new(Rule::DelegationInTime, format!("delegation:{}", delegation.id), text)
    })
}

pub(super) fn subject(tx: &ChainTransaction) -> String {
    format!("transaction:{}", tx.txid)
}
