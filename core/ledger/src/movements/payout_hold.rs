//! A user asks for a payout: the amount is set aside in the transaction that takes the request.
//!
//! | debit | credit | amount | event |
//! |---|---|---|---|
//! | `user:{id}:{asset}` | `house:payouts:{asset}` | the amount asked for | `payout:{payout}:hold` |

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::{Amount, Asset, PayoutId, UserId};

use crate::{Account, LedgerError, Posted, Reason, Transfer, post_in_tx};

/// What is set aside.
#[derive(Debug, Clone, Copy)]
pub struct PayoutHold<'a> {
    /// The payout; its row is inserted before, in the same transaction.
    pub payout: PayoutId,
    /// Whose money.
    pub user: UserId,
    /// Of what.
    pub asset: Asset,
    /// How much.
    pub amount: Amount,
    /// Who asked for it: `api_key:<id>`.
    pub actor: &'a str,
    /// When.
    pub at: DateTime<Utc>,
}

/// Moves the amount from the user to what is set aside.
///
/// # Errors
/// [`LedgerError::InsufficientFunds`] when the user has less (the transaction is aborted then); else as
/// [`post_in_tx`].
pub async fn payout_hold_in_tx(conn: &mut Conn, hold: &PayoutHold<'_>) -> Result<Posted, LedgerError> {
    let PayoutHold { user, asset, .. } = *hold;
    let transfer = Transfer {
        event: event(hold.payout),
        debit: Account::User { user, asset },
        credit: Account::Payouts(asset),
        amount: hold.amount,
        reason: Reason::PayoutHold,
        order: None,
        payout: Some(hold.payout),
        actor: Some(hold.actor.to_owned()),
        note: None,
        at: hold.at,
    };
    post_in_tx(conn, &transfer).await
}

/// The event of a payout's hold.
pub(super) fn event(payout: PayoutId) -> String {
    format!("payout:{payout}:hold")
}
