//! What was moved for payouts, as it is stored: for audits, which judge it and believe none of it.

use db::Conn;
use db::schema::ledger_transfers as t;
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::movements::chain_fee_event;
use crate::{LedgerError, Reason};

/// One transfer of a payout.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct PayoutTransfer {
    /// The payout.
    pub payout: Option<Uuid>,
    /// Why.
    pub reason: Reason,
    /// The code of the account that the amount left.
    pub debit: String,
    /// The code of the account that it reached.
    pub credit: String,
    /// How much, in minor units.
    pub minor: i64,
}

/// Every transfer of these payouts. The reasons are named, for they are what the two indexes by payout hold.
///
/// # Errors
/// When the database cannot be asked.
pub async fn transfers_of_payouts(conn: &mut Conn, payouts: &[Uuid]) -> Result<Vec<PayoutTransfer>, LedgerError> {
    let columns = (t::payout_id, t::reason, t::debit_account, t::credit_account, t::amount);
    let of_payouts = t::table.filter(t::payout_id.eq_any(payouts));
    let mut transfers: Vec<PayoutTransfer> = of_payouts
        .clone()
        .filter(t::reason.eq(Reason::PayoutHold))
        .select(columns)
        .load(conn)
        .await?;
    let ends: Vec<PayoutTransfer> = of_payouts
        .filter(t::reason.eq_any([Reason::PayoutSettle, Reason::PayoutVoid]))
        .select(columns)
        .load(conn)
        .await?;
    transfers.extend(ends);
    Ok(transfers)
}

/// What was booked as burned by each of these transactions; those that nothing was booked for are not in the answer.
///
/// # Errors
/// When the database cannot be asked.
pub async fn fees_of_transactions(conn: &mut Conn, txids: &[&str]) -> Result<Vec<(String, i64)>, LedgerError> {
    let events: Vec<(String, &str)> = txids.iter().map(|txid| (chain_fee_event(txid), *txid)).collect();
    let names: Vec<&str> = events.iter().map(|(event, _)| event.as_str()).collect();
    let rows: Vec<(String, i64)> = t::table
        .filter(t::event.eq_any(names).and(t::reason.eq(Reason::ChainFee)))
        .select((t::event, t::amount))
        .load(conn)
        .await?;
    let txid_of = |event: &str| events.iter().find(|(name, _)| name == event).map(|(_, txid)| *txid);
    Ok(rows
        .iter()
        .filter_map(|(event, minor)| Some((txid_of(event)?.to_owned(), *minor)))
        .collect())
}
