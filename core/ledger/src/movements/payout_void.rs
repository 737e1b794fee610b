//! A payout that was refused, or that can never be paid, is given back to whoever asked for it.
//!
//! | debit | credit | amount | event |
//! |---|---|---|---|
//! | `house:payouts:{asset}` | `user:{id}:{asset}` | what was set aside | `payout:{payout}:void` |

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::PayoutId;

use super::payout_held;
use crate::{Account, LedgerError, Posted, Reason, Transfer, post_in_tx};

/// Moves what was set aside for the payout back to its user. The actor is who refused it, `None` where it cannot be paid.
///
/// # Errors
/// [`LedgerError::PayoutNotHeld`] when nothing was set aside, [`LedgerError::PayoutEnded`] when it has left; else as
/// [`post_in_tx`].
pub async fn payout_void_in_tx(
    conn: &mut Conn,
    payout: PayoutId,
    actor: Option<&str>,
    at: DateTime<Utc>,
) -> Result<Posted, LedgerError> {
    let (payer, amount) = payout_held::find(conn, payout).await?;
    let transfer = Transfer {
        event: format!("payout:{payout}:void"),
        debit: Account::Payouts(payer.asset()),
        credit: payer,
        amount,
        reason: Reason::PayoutVoid,
        order: None,
        payout: Some(payout),
        actor: actor.map(str::to_owned),
        note: None,
        at,
    };
    post_in_tx(conn, &transfer).await
}
