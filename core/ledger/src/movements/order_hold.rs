//! A user pays for an order: the price goes into escrow in the transaction that accepts the order.
//!
//! | debit | credit | amount | event |
//! |---|---|---|---|
//! | `user:{id}:{asset}` | `house:escrow:{asset}` | the price | `order:{order}:hold` |

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::{Amount, Asset, OrderId, UserId};

use crate::{Account, LedgerError, Posted, Reason, Transfer, post_in_tx};

/// What is paid for an order.
#[derive(Debug, Clone, Copy)]
pub struct Hold<'a> {
    /// The order; its row is inserted before, in the same transaction.
    pub order: OrderId,
    /// Who pays.
    pub user: UserId,
    /// In what.
    pub asset: Asset,
    /// The price.
    pub amount: Amount,
    /// Who asked for it: `api_key:<id>`.
    pub actor: &'a str,
    /// When.
    pub at: DateTime<Utc>,
}

/// Moves the price from the user into escrow.
///
/// # Errors
/// [`LedgerError::InsufficientFunds`] when the user has less (the transaction is aborted then); else as
/// [`post_in_tx`].
pub async fn hold_in_tx(conn: &mut Conn, hold: &Hold<'_>) -> Result<Posted, LedgerError> {
    let transfer = Transfer {
        event: event(hold.order),
        debit: Account::User {
            user: hold.user,
            asset: hold.asset,
        },
        credit: Account::Escrow(hold.asset),
        amount: hold.amount,
        reason: Reason::OrderHold,
        order: Some(hold.order),
        payout: None,
        actor: Some(hold.actor.to_owned()),
        note: None,
        at: hold.at,
    };
    post_in_tx(conn, &transfer).await
}

/// The event of an order's hold.
pub(super) fn event(order: OrderId) -> String {
    format!("order:{order}:hold")
}
