//! A failed order is paid back to whoever paid, in the transaction that ends it as refunded.
//!
//! | debit | credit | amount | event |
//! |---|---|---|---|
//! | `house:escrow:{asset}` | `user:{id}:{asset}` | what was held | `order:{order}:refund` |

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::OrderId;

use super::held;
use crate::{Account, LedgerError, Posted, Reason, Transfer, post_many_in_tx};

/// Moves what was held for the order back to its payer.
///
/// # Errors
/// [`LedgerError::NotHeld`] when it was never paid for, [`LedgerError::OrderEnded`] when it was settled or cancelled;
/// else as [`post_many_in_tx`].
pub async fn refund_in_tx(conn: &mut Conn, order: OrderId, at: DateTime<Utc>) -> Result<Posted, LedgerError> {
    let held = held::find(conn, &[order]).await?;
    let transfers: Vec<Transfer> = held
        .into_iter()
        .map(|held| Transfer {
            event: format!("order:{}:refund", held.order),
            debit: Account::Escrow(held.payer.asset()),
            credit: held.payer,
            amount: held.amount,
            reason: Reason::OrderRefund,
            order: Some(held.order),
            payout: None,
            actor: None,
            note: None,
            at,
        })
        .collect();
    let posted = post_many_in_tx(conn, &transfers).await?;
    posted.into_iter().next().ok_or(LedgerError::NotHeld(order))
}
