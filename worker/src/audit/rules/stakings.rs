//! A staking's transactions, by our books alone and against the chain.

use db::models::{ChainTransaction, IntentKind, StakeResource, StakingAction, StakingState};
use domain::reconcile::STAKING_STUCK_AFTER;
use tron::ContractBody;
use tron::proto::ResourceCode;

use super::Context;
use super::landed::{of_transaction, took_effect};
use super::transactions::{has_landed, in_time as transaction_in_time, may_land, subject};
use crate::audit::complaint::{Complaint, Rule};
use crate::audit::evidence::{Books, OnChain, Rigour, StakeCase};

/// By our books alone.
pub(super) fn of_case(case: &StakeCase, context: &Context<'_>) -> Vec<Complaint> {
    let mut complaints: Vec<Complaint> = [state(case), in_time(case, context)].into_iter().flatten().collect();
    for tx in &case.transactions {
        complaints.extend(bytes(case, tx, context));
        complaints.extend(transaction_in_time(tx, context));
    }
    complaints
}

/// At most one transaction landed, and at most one is on its way, as the state says.
fn state(case: &StakeCase) -> Option<Complaint> {
    use StakingState::{Cancelled, Done, Failed, Processing, Requested, Sent};
    let landed: Vec<&ChainTransaction> = case.transactions.iter().filter(|tx| has_landed(tx)).collect();
    let on_its_way = case.transactions.iter().filter(|tx| may_land(tx)).count();
    let figures = (landed.len(), on_its_way);
    let right = match case.staking.state {
        Requested | Failed | Cancelled => figures == (0, 0),
        Processing => figures == (0, 1),
        Sent | Done => figures == (1, 0),
    };
    let same_block = landed.iter().all(|tx| tx.block_number == case.staking.block_number);
    (!right || !same_block).then(|| {
        let text = format!(
            "is {}, with (landed, on their way) {figures:?}, same block {same_block}",
            case.staking.state
        );
        Complaint::new(Rule::StakingOneEnd, case.subject(), text)
    })
}

fn in_time(case: &StakeCase, context: &Context<'_>) -> Option<Complaint> {
    let staking = &case.staking;
    let late = staking.created_at + STAKING_STUCK_AFTER < context.rigour.now;
    (!staking.state.is_end() && (late || context.rigour.at_rest)).then(|| {
        let text = format!("is {}, waiting for {:?}", staking.state, staking.reason_code);
        Complaint::new(Rule::StakingInTime, case.subject(), text)
    })
}

/// The stored bytes have the stored id, are the wallet's, and say what was asked for.
fn bytes(case: &StakeCase, tx: &ChainTransaction, context: &Context<'_>) -> Option<Complaint> {
    let complain = |text: String| Complaint::new(Rule::TransactionBytes, subject(tx), text);
    let decoded = match tron::decode_transaction(&tx.raw) {
        Ok(decoded) => decoded,
        Err(error) => return Some(complain(format!("cannot be read: {error}"))),
    };
    if decoded.txid.to_string() != tx.txid {
        return Some(complain(format!("its bytes are those of {}", decoded.txid)));
    }
    let body = decoded.unsigned.contract;
    let staking = &case.staking;
    let of = |amount: i64, resource: ResourceCode| {
        let resource = match resource {
            ResourceCode::Energy => Some(StakeResource::Energy),
            ResourceCode::Bandwidth => Some(StakeResource::Bandwidth),
            _ => None,
        };
        (Some(amount), resource) == (staking.amount_sun, staking.resource) && resource.is_some()
    };
    let says = match &body {
        ContractBody::FreezeBalance {
            amount_sun, resource, ..
        } => staking.action == StakingAction::Stake && of(*amount_sun, *resource),
        ContractBody::UnfreezeBalance {
            amount_sun, resource, ..
        } => staking.action == StakingAction::Unstake && of(*amount_sun, *resource),
        ContractBody::WithdrawExpireUnfreeze { .. } => staking.action == StakingAction::Withdraw,
        ContractBody::CancelAllUnfreeze { .. } => staking.action == StakingAction::Cancel,
        _ => false,
    };
    let own = tx.intent_kind == IntentKind::Stake
        && tx.wallet_id == staking.wallet_id
        && context.wallets.get(&staking.wallet_id) == Some(&body.owner().to_string());
    (!says || !own).then(|| complain(format!("was signed as {body:?}, asked for is {staking:?}")))
}

/// Against the chain: once if it is done, at most once on the way, and never else.
pub(super) fn of_chain(case: &StakeCase, books: &Books, chain: &OnChain, rigour: &Rigour) -> Vec<Complaint> {
    let transactions = case.transactions.iter();
    let mut complaints: Vec<Complaint> = transactions.filter_map(|tx| of_transaction(tx, books, chain)).collect();
    let landed = case.transactions.iter().filter(|tx| took_effect(tx, chain)).count();
    let right = match case.staking.state {
        StakingState::Done => landed == 1,
        StakingState::Processing | StakingState::Sent => landed <= 1 && !rigour.at_rest,
        StakingState::Requested | StakingState::Failed | StakingState::Cancelled => landed == 0,
    };
    if !right {
        let text = format!("is {}, and landed {landed} times on chain", case.staking.state);
        complaints.push(Complaint::new(Rule::StakingOneEnd, case.subject(), text));
    }
    complaints
}
