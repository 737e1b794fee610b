//! What was set aside for a payout. Whatever ends it moves exactly that: no caller names the amount a second time.

use db::Conn;
use db::schema::ledger_transfers as t;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use kernel::{Amount, PayoutId};

use super::payout_hold;
use crate::{Account, LedgerError};

/// Who asked for the payout, and how much of what is set aside for it.
///
/// # Errors
/// [`LedgerError::PayoutNotHeld`] when nothing was.
pub(super) async fn find(conn: &mut Conn, payout: PayoutId) -> Result<(Account, Amount), LedgerError> {
    let row: Option<(String, i64)> = t::table
        .filter(t::event.eq(payout_hold::event(payout)))
        .select((t::debit_account, t::amount))
        .first(conn)
        .await
        .optional()?;
    let (payer, minor) = row.ok_or(LedgerError::PayoutNotHeld(payout))?;
    let account = payer.parse().map_err(|_| LedgerError::Corrupt(payer.clone()))?;
    let amount = Amount::from_minor(minor).map_err(|error| LedgerError::Corrupt(error.to_string()))?;
    Ok((account, amount))
}
