//! What the database's refusal of a posting means.

use db::is_violation_of;
use diesel::result::Error as Diesel;

use crate::{LedgerError, Transfer};

/// The ledger's word for a refused statement; anything unforeseen stays a failed query.
pub(super) fn explain(error: Diesel, transfers: &[&Transfer]) -> LedgerError {
    let details = match &error {
        Diesel::DatabaseError(_, info) => info.details().unwrap_or_default(),
        _ => "",
    };
    refused_as(&error, details, transfers).unwrap_or_else(|| LedgerError::from(error))
}

fn refused_as(error: &Diesel, details: &str, transfers: &[&Transfer]) -> Option<LedgerError> {
    if is_violation_of(error, "ledger_accounts_not_overdrawn") {
        // the failing row begins with its code
        let blamed = blame(
            transfers,
            |t| t.debit.user().is_some(),
            |t| details.contains(&format!("({},", t.debit)),
        )?;
        return Some(LedgerError::InsufficientFunds {
            account: blamed.debit.clone(),
            needed: blamed.amount,
        });
    }
    if is_violation_of(error, "ledger_accounts_user_id_fkey") {
        let users: Vec<_> = transfers
            .iter()
            .flat_map(|t| [t.debit.user(), t.credit.user()])
            .flatten()
            .collect();
        let blamed = users
            .iter()
            .find(|user| details.contains(&format!("({user})")))
            .or(users.first())?;
        return Some(LedgerError::UnknownUser(*blamed));
    }
    let held = is_violation_of(error, "ledger_transfers_one_hold");
    if held || is_violation_of(error, "ledger_transfers_one_end") {
        let named = |t: &Transfer| t.order.is_some_and(|order| details.contains(&order.to_string()));
        let order = blame(transfers, |t| t.order.is_some(), named)?.order?;
        return Some(if held {
            LedgerError::OrderHeld(order)
        } else {
            LedgerError::OrderEnded(order)
        });
    }
    let held = is_violation_of(error, "ledger_transfers_one_payout_hold");
    if held || is_violation_of(error, "ledger_transfers_one_payout_end") {
        let named = |t: &Transfer| t.payout.is_some_and(|payout| details.contains(&payout.to_string()));
        let payout = blame(transfers, |t| t.payout.is_some(), named)?.payout?;
        return Some(if held {
            LedgerError::PayoutHeld(payout)
        } else {
            LedgerError::PayoutEnded(payout)
        });
    }
    None
}

/// The transfer that PostgreSQL's details name; where they say nothing, the first that could be meant.
fn blame<'a>(
    transfers: &[&'a Transfer],
    possible: impl Fn(&Transfer) -> bool,
    named: impl Fn(&Transfer) -> bool,
) -> Option<&'a Transfer> {
    let mut possible = transfers.iter().copied().filter(|transfer| possible(transfer));
    let mut named = transfers.iter().copied().filter(|transfer| named(transfer));
    named.next().or_else(|| possible.next())
}
