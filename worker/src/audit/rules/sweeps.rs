//! A sweep's transactions, by our books alone and against the chain.

use db::models::{ChainTransaction, IntentKind, SweepState, TxState};
use domain::reconcile::SWEEP_STUCK_AFTER;
use tron::ContractBody;
use tron::trc20::{Call, amount_u128};

use super::Context;
use super::landed::{of_transaction, took_effect};
use super::transactions::{has_landed, in_time as transaction_in_time, may_land, subject};
use crate::audit::complaint::{Complaint, Rule};
use crate::audit::evidence::{Books, OnChain, Rigour, SweepCase};

/// By our books alone.
pub(super) fn of_case(case: &SweepCase, context: &Context<'_>) -> Vec<Complaint> {
    let mut complaints: Vec<Complaint> = [state(case), in_time(case, context)].into_iter().flatten().collect();
    for tx in &case.transactions {
        complaints.extend(bytes(case, tx, context));
        complaints.extend(transaction_in_time(tx, context));
        complaints.extend(fee(case, tx));
    }
    complaints
}

/// What a sweep's state says of the transactions that collect: at most one landed, and at most one is on its way. Coin that
/// brings the address into being is on its way in one state alone.
fn state(case: &SweepCase) -> Option<Complaint> {
    use SweepState::{Activating, Cancelled, Completed, Planned, Processing, Renting, Sent};
    let of = |kind| case.transactions.iter().filter(move |tx| tx.intent_kind == kind);
    let landed = of(IntentKind::Sweep).filter(|tx| has_landed(tx)).count();
    let on_its_way = of(IntentKind::Sweep).filter(|tx| may_land(tx)).count();
    let open = |tx: &&ChainTransaction| !matches!(tx.state, TxState::Final | TxState::Dead);
    let activating = of(IntentKind::Activate).filter(open).count();
    let figures = (landed, on_its_way, activating);
    let right = match case.sweep.state {
        Planned | Renting | Cancelled => figures == (0, 0, 0),
        Activating => figures == (0, 0, 1),
        Processing => figures == (0, 1, 0),
        Sent | Completed => figures == (1, 0, 0),
    };
    (!right).then(|| {
        let text = format!(
            "is {}, with (landed, on their way, activating) {figures:?}",
            case.sweep.state
        );
        Complaint::new(Rule::SweepOneEnd, case.subject(), text)
    })
}

/// Who waits for bandwidth may wait for a day.
fn in_time(case: &SweepCase, context: &Context<'_>) -> Option<Complaint> {
    let sweep = &case.sweep;
    let waits = sweep.reason_code.as_deref() == Some("bandwidth_short");
    let late = !waits && sweep.created_at + SWEEP_STUCK_AFTER < context.rigour.now;
    (!sweep.state.is_end() && (late || context.rigour.at_rest)).then(|| {
        let text = format!("is {}, waiting for {:?}", sweep.state, sweep.reason_code);
        Complaint::new(Rule::SweepInTime, case.subject(), text)
    })
}

/// The stored bytes have the stored id, are the wallet's, and if they landed say what the sweep does. Earlier ones collected
/// what was there then.
fn bytes(case: &SweepCase, tx: &ChainTransaction, context: &Context<'_>) -> Option<Complaint> {
    let complain = |text: String| Complaint::new(Rule::TransactionBytes, subject(tx), text);
    let decoded = match tron::decode_transaction(&tx.raw) {
        Ok(decoded) => decoded,
        Err(error) => return Some(complain(format!("cannot be read: {error}"))),
    };
    if decoded.txid.to_string() != tx.txid {
        return Some(complain(format!("its bytes are those of {}", decoded.txid)));
    }
    let body = decoded.unsigned.contract;
    let says = match &body {
        ContractBody::Transfer { to, amount_sun, .. } => Some(("TRX", *to, *amount_sun)),
        ContractBody::TriggerSmart {
            data,
            call_value_sun: 0,
            ..
        } => match Call::decode(data) {
            Some(Call::Transfer { to, amount }) => amount_u128(&amount)
                .and_then(|amount| i64::try_from(amount).ok())
                .map(|amount| ("USDT", to, amount)),
            _ => None,
        },
        _ => None,
    };
    let sweep = &case.sweep;
    let own = context.wallets.get(&sweep.wallet_id);
    let signer = context.wallets.get(&tx.wallet_id) == Some(&body.owner().to_string());
    let right = says.is_some_and(|(asset, to, amount)| match tx.intent_kind {
        IntentKind::Activate => asset == "TRX" && Some(&to.to_string()) == own,
        IntentKind::Sweep => {
            let as_booked = sweep.to_address.as_deref() == Some(&to.to_string()) && sweep.amount == Some(amount);
            asset == sweep.asset && tx.wallet_id == sweep.wallet_id && (as_booked || !has_landed(tx))
        }
        _ => false,
    });
    (!right || !signer).then(|| complain(format!("was signed as {body:?}, asked for is {sweep:?}")))
}

/// What a final transaction burned is booked, once and whole.
fn fee(case: &SweepCase, tx: &ChainTransaction) -> Option<Complaint> {
    let burned = tx.fee_sun.filter(|fee| *fee > 0 && tx.state == TxState::Final);
    let booked = case.fees.get(&tx.txid).copied();
    (booked != burned).then(|| {
        let text = format!("burned {burned:?} sun, booked are {booked:?}");
        Complaint::new(Rule::SweepFee, subject(tx), text)
    })
}

/// Against the chain: collected once if it is completed, at most once on the way, and never else.
pub(super) fn of_chain(case: &SweepCase, books: &Books, chain: &OnChain, rigour: &Rigour) -> Vec<Complaint> {
    let transactions = case.transactions.iter();
    let mut complaints: Vec<Complaint> = transactions.filter_map(|tx| of_transaction(tx, books, chain)).collect();
    let collecting = case
        .transactions
        .iter()
        .filter(|tx| tx.intent_kind == IntentKind::Sweep);
    let collected = collecting.filter(|tx| took_effect(tx, chain)).count();
    let right = match case.sweep.state {
        SweepState::Completed => collected == 1,
        SweepState::Processing | SweepState::Sent => collected <= 1 && !rigour.at_rest,
        SweepState::Planned | SweepState::Activating | SweepState::Renting | SweepState::Cancelled => collected == 0,
    };
    if !right {
        let text = format!("is {}, and collected {collected} times on chain", case.sweep.state);
        complaints.push(Complaint::new(Rule::SweepOneEnd, case.subject(), text));
    }
    complaints
}
