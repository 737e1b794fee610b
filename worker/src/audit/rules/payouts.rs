//! A payout's money and its transactions, by our books alone and against the chain.

use db::models::{ChainTransaction, IntentKind, Payout, PayoutState, TxState};
use domain::reconcile::PAYOUT_STUCK_AFTER;
use ledger::{PayoutTransfer, Reason};
use tron::ContractBody;
use tron::trc20::{Call, amount_u128};

use super::Context;
use super::landed::{of_transaction, took_effect};
use super::transactions::{has_landed, in_time as transaction_in_time, may_land, subject};
use crate::audit::complaint::{Complaint, Rule};
use crate::audit::evidence::{Books, OnChain, PayoutCase, Rigour};

/// By our books alone.
pub(super) fn of_case(case: &PayoutCase, context: &Context<'_>) -> Vec<Complaint> {
    let mut complaints: Vec<Complaint> = [money(case), state(case), in_time(case, context)]
        .into_iter()
        .flatten()
        .collect();
    for tx in &case.transactions {
        complaints.extend(bytes(case, tx, context));
        complaints.extend(transaction_in_time(tx, context));
        complaints.extend(fee(case, tx));
    }
    complaints
}

/// Set aside once; and what was set aside left once, whole, to where the payout's end says.
fn money(case: &PayoutCase) -> Option<Complaint> {
    let Payout { asset, network, .. } = &case.payout;
    let user = format!("user:{}:{asset}", case.payout.user_id);
    let set_aside = format!("house:payouts:{asset}");
    let outside = format!("house:deposits:{network}:{asset}");
    let mut due = vec![(Reason::PayoutHold, user.as_str(), set_aside.as_str())];
    due.extend(match case.payout.state {
        PayoutState::Requested | PayoutState::Approved | PayoutState::Processing | PayoutState::Sent => None,
        PayoutState::Completed => Some((Reason::PayoutSettle, set_aside.as_str(), outside.as_str())),
        PayoutState::Rejected | PayoutState::Failed => Some((Reason::PayoutVoid, set_aside.as_str(), user.as_str())),
    });
    let minor = case.payout.amount;
    let row = |(reason, from, to): &(Reason, &str, &str)| format!("{reason} {minor} from {from} to {to}");
    let as_row = |t: &PayoutTransfer| format!("{} {} from {} to {}", t.reason, t.minor, t.debit, t.credit);
    let mut due: Vec<String> = due.iter().map(row).collect();
    let mut moved: Vec<String> = case.transfers.iter().map(as_row).collect();
    due.sort();
    moved.sort();
    (moved != due).then(|| {
        let text = format!("is {}: moved was {moved:?}, due is {due:?}", case.payout.state);
        Complaint::new(Rule::PayoutMoney, case.subject(), text)
    })
}

/// What a payout's state says of its transactions: at most one landed, and at most one is on its way.
fn state(case: &PayoutCase) -> Option<Complaint> {
    use PayoutState::{Approved, Completed, Failed, Processing, Rejected, Requested, Sent};
    let landed = case.transactions.iter().filter(|tx| has_landed(tx)).count();
    let on_its_way = case.transactions.iter().filter(|tx| may_land(tx)).count();
    let right = match case.payout.state {
        Requested | Approved | Rejected | Failed => (landed, on_its_way) == (0, 0),
        Processing => (landed, on_its_way) == (0, 1),
        Sent | Completed => (landed, on_its_way) == (1, 0),
    };
    (!right).then(|| {
        let text = format!(
            "is {}, with {landed} transactions that landed and {on_its_way} on their way",
            case.payout.state
        );
        Complaint::new(Rule::PayoutOneEnd, case.subject(), text)
    })
}

/// What nobody has decided on may wait; what may be paid is paid soon, and at rest it is.
fn in_time(case: &PayoutCase, context: &Context<'_>) -> Option<Complaint> {
    let payout = &case.payout;
    let since = payout.approved_at.filter(|_| !payout.state.is_end())?;
    let late = since + PAYOUT_STUCK_AFTER < context.rigour.now;
    (late || context.rigour.at_rest).then(|| {
        let text = format!("is {}, and may be paid since {since}", payout.state);
        Complaint::new(Rule::PayoutInTime, case.subject(), text)
    })
}

/// The stored bytes have the stored id and say what was asked for.
fn bytes(case: &PayoutCase, tx: &ChainTransaction, context: &Context<'_>) -> Option<Complaint> {
    let complain = |text: String| Complaint::new(Rule::TransactionBytes, subject(tx), text);
    let decoded = match tron::decode_transaction(&tx.raw) {
        Ok(decoded) => decoded,
        Err(error) => return Some(complain(format!("cannot be read: {error}"))),
    };
    if decoded.txid.to_string() != tx.txid {
        return Some(complain(format!("its bytes are those of {}", decoded.txid)));
    }
    let body = decoded.unsigned.contract;
    let owner = body.owner().to_string();
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
    let payout = &case.payout;
    let right = says.is_some_and(|(asset, to, amount)| {
        asset == payout.asset
            && to.to_string() == payout.to_address
            && amount == payout.amount
            && tx.intent_kind == IntentKind::Payout
            && context.wallets.get(&tx.wallet_id) == Some(&owner)
    });
    (!right).then(|| complain(format!("was signed as {body:?}, asked for is {payout:?}")))
}

/// What a final transaction burned is booked, once and whole.
fn fee(case: &PayoutCase, tx: &ChainTransaction) -> Option<Complaint> {
    let burned = tx.fee_sun.filter(|fee| *fee > 0 && tx.state == TxState::Final);
    let booked = case.fees.get(&tx.txid).copied();
    (booked != burned).then(|| {
        let text = format!("burned {burned:?} sun, booked are {booked:?}");
        Complaint::new(Rule::PayoutFee, subject(tx), text)
    })
}

/// Against the chain: paid once if it is completed, never if its money went back, at most once on the way.
pub(super) fn of_chain(case: &PayoutCase, books: &Books, chain: &OnChain, rigour: &Rigour) -> Vec<Complaint> {
    let transactions = case.transactions.iter();
    let mut complaints: Vec<Complaint> = transactions.filter_map(|tx| of_transaction(tx, books, chain)).collect();
    let paid = case.transactions.iter().filter(|tx| took_effect(tx, chain)).count();
    let right = match case.payout.state {
        PayoutState::Completed => paid == 1,
        PayoutState::Processing | PayoutState::Sent => paid <= 1 && !rigour.at_rest,
        PayoutState::Requested | PayoutState::Approved | PayoutState::Rejected | PayoutState::Failed => paid == 0,
    };
    if !right {
        let text = format!("is {}, and paid {paid} times on chain", case.payout.state);
        complaints.push(Complaint::new(Rule::PayoutOneEnd, case.subject(), text));
    }
    complaints
}
