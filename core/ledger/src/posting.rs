//! Posting: the only code that writes transfers. The database keeps the balances and refuses what must not be.

mod refusal;
mod statement;

use std::collections::{HashMap, HashSet};

use db::Conn;
use db::schema::ledger_transfers as t;
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::{LedgerError, Reason, Transfer};
use statement::PostStatement;

/// How many transfers one statement carries.
const MAX_PER_STATEMENT: usize = 1_000;

/// Whether a transfer was written now or is there since before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// Written by this call.
    New,
    /// The same event with the same contents was posted before; nothing changed.
    Already,
}

/// Posts one transfer in one round trip (two when it was there already); see [`post_many_in_tx`].
///
/// # Errors
/// As [`post_many_in_tx`].
pub async fn post_in_tx(conn: &mut Conn, transfer: &Transfer) -> Result<Posted, LedgerError> {
    let posted = post_many_in_tx(conn, std::slice::from_ref(transfer)).await?;
    posted
        .into_iter()
        .next()
        .ok_or(LedgerError::Malformed("nothing was posted"))
}

/// Posts transfers, all or none, and answers for each in the order given. Accounts that are missing are opened; the row
/// of the user, and of the order, must exist.
///
/// Needs READ COMMITTED, which `run_tx` gives. User accounts are locked in code order whatever the order of the slice,
/// so that two batches do not wait for each other.
///
/// # Errors
/// [`LedgerError::InsufficientFunds`], [`LedgerError::UnknownUser`], [`LedgerError::OrderHeld`],
/// [`LedgerError::OrderEnded`], [`LedgerError::PayoutHeld`] and [`LedgerError::PayoutEnded`] are refusals by the database: PostgreSQL has aborted the transaction, and nothing more
/// can be asked in it. [`LedgerError::EventReused`] is found by a comparison; the caller must roll back all the same.
pub async fn post_many_in_tx(conn: &mut Conn, transfers: &[Transfer]) -> Result<Vec<Posted>, LedgerError> {
    transfers.iter().try_for_each(Transfer::check)?;
    let mut sorted: Vec<&Transfer> = transfers.iter().collect();
    sorted.sort_by_cached_key(|transfer| user_leg(transfer));
    let mut written = HashSet::new();
    for chunk in sorted.chunks(MAX_PER_STATEMENT) {
        let events: Vec<String> = PostStatement::of(chunk)
            .load(conn)
            .await
            .map_err(|error| refusal::explain(error, chunk))?;
        written.extend(events);
    }
    // an event given twice in one slice is written by its first mention
    let posted: Vec<Posted> = transfers
        .iter()
        .map(|transfer| {
            if written.remove(&transfer.event) {
                Posted::New
            } else {
                Posted::Already
            }
        })
        .collect();
    let repeated = transfers
        .iter()
        .zip(&posted)
        .filter(|(_, posted)| **posted == Posted::Already);
    compare_with_stored(conn, repeated.map(|(transfer, _)| transfer).collect()).await?;
    Ok(posted)
}

/// The code of the account whose row is locked; house accounts are not.
fn user_leg(transfer: &Transfer) -> Option<String> {
    [&transfer.debit, &transfer.credit]
        .into_iter()
        .find(|account| account.user().is_some())
        .map(crate::Account::code)
}

/// What makes two postings of an event the same: where from, where to, how much, why and for what.
#[derive(Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = t)]
struct Contents {
    debit_account: String,
    credit_account: String,
    amount: i64,
    reason: Reason,
    order_id: Option<Uuid>,
    payout_id: Option<Uuid>,
    note: Option<String>,
}

impl Contents {
    fn of(transfer: &Transfer) -> Self {
        Self {
            debit_account: transfer.debit.code(),
            credit_account: transfer.credit.code(),
            amount: transfer.amount.minor(),
            reason: transfer.reason,
            order_id: transfer.order.map(|order| order.0),
            payout_id: transfer.payout.map(|payout| payout.0),
            note: transfer.note.clone(),
        }
    }
}

async fn compare_with_stored(conn: &mut Conn, transfers: Vec<&Transfer>) -> Result<(), LedgerError> {
    for chunk in transfers.chunks(MAX_PER_STATEMENT) {
        let events: Vec<&str> = chunk.iter().map(|transfer| transfer.event.as_str()).collect();
        let stored: HashMap<String, Contents> = t::table
            .filter(t::event.eq_any(events))
            .select((t::event, Contents::as_select()))
            .load::<(String, Contents)>(conn)
            .await?
            .into_iter()
            .collect();
        for transfer in chunk {
            if stored.get(&transfer.event) != Some(&Contents::of(transfer)) {
                metrics::counter!("switchyard_ledger_event_reused_total").increment(1);
                tracing::error!(
                    event = transfer.event,
                    "a ledger event was posted again with other contents"
                );
                return Err(LedgerError::EventReused {
                    event: transfer.event.clone(),
                });
            }
        }
    }
    Ok(())
}
