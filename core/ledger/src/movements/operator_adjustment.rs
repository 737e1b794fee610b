//! An operator, or a client trusted to, credits or debits a user by hand and says why.
//!
//! | direction | debit | credit | amount | event |
//! |---|---|---|---|---|
//! | credit | `house:adjustments:{asset}` | `user:{id}:{asset}` | as given | `adjustment:{reference}` |
//! | debit | `user:{id}:{asset}` | `house:adjustments:{asset}` | as given | `adjustment:{reference}` |

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::{Amount, Asset, UserId};

use crate::transfer::check_text;
use crate::{Account, LedgerError, Posted, Reason, Transfer, post_in_tx};

/// Which way an adjustment goes, seen from the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The user gets it.
    Credit,
    /// It is taken from the user.
    Debit,
}

/// One adjustment.
#[derive(Debug, Clone, Copy)]
pub struct Adjustment<'a> {
    /// The caller's name for it, at most 150 characters: the same reference again moves nothing. Callers that do not
    /// know of each other put their own name in front.
    pub reference: &'a str,
    /// Whose balance.
    pub user: UserId,
    /// Of what.
    pub asset: Asset,
    /// How much; not zero.
    pub amount: Amount,
    /// Which way.
    pub direction: Direction,
    /// Why, in words: 1 to 500 characters.
    pub note: &'a str,
    /// Who: `operator:<name>` or `api_key:<id>`.
    pub actor: &'a str,
    /// When.
    pub at: DateTime<Utc>,
}

/// Moves the amount between the user and the house's adjustments.
///
/// # Errors
/// [`LedgerError::ReferenceReused`] when the reference names an adjustment of another user, amount, direction or note;
/// [`LedgerError::InsufficientFunds`] and [`LedgerError::UnknownUser`] with the transaction aborted; else as
/// [`post_in_tx`].
pub async fn adjust_in_tx(conn: &mut Conn, adjustment: &Adjustment<'_>) -> Result<Posted, LedgerError> {
    let Adjustment { user, asset, .. } = *adjustment;
    check_text("reference", adjustment.reference, 150)?;
    let (user, house) = (Account::User { user, asset }, Account::Adjustments(asset));
    let (debit, credit) = match adjustment.direction {
        Direction::Credit => (house, user),
        Direction::Debit => (user, house),
    };
    let transfer = Transfer {
        event: format!("adjustment:{}", adjustment.reference),
        debit,
        credit,
        amount: adjustment.amount,
        reason: Reason::OperatorAdjustment,
        order: None,
        payout: None,
        actor: Some(adjustment.actor.to_owned()),
        note: Some(adjustment.note.to_owned()),
        at: adjustment.at,
    };
    match post_in_tx(conn, &transfer).await {
        Err(LedgerError::EventReused { .. }) => Err(LedgerError::ReferenceReused {
            reference: adjustment.reference.to_owned(),
        }),
        answer => answer,
    }
}
