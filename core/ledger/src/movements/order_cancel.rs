//! An order given up before delivery, by its user or by its deadline, is paid back to whoever paid.
//!
//! | debit | credit | amount | event |
//! |---|---|---|---|
//! | `house:escrow:{asset}` | `user:{id}:{asset}` | what was held | `order:{order}:cancel` |

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::OrderId;

use super::held::{self, Held};
use crate::{Account, LedgerError, Posted, Reason, Transfer, post_many_in_tx};

/// Moves what was held for the order back to its payer. The actor is who cancelled, `None` for a deadline.
///
/// # Errors
/// As [`cancel_many_in_tx`].
pub async fn cancel_in_tx(
    conn: &mut Conn,
    order: OrderId,
    actor: Option<&str>,
    at: DateTime<Utc>,
) -> Result<Posted, LedgerError> {
    let new = cancel_many_in_tx(conn, &[order], actor, at).await?;
    Ok(if new == 0 { Posted::Already } else { Posted::New })
}

/// Cancels many orders with two statements, all or none, and answers how many were not cancelled before.
///
/// # Errors
/// [`LedgerError::NotHeld`] when one was never paid for, [`LedgerError::OrderEnded`] when one was settled or refunded;
/// else as [`post_many_in_tx`].
pub async fn cancel_many_in_tx(
    conn: &mut Conn,
    orders: &[OrderId],
    actor: Option<&str>,
    at: DateTime<Utc>,
) -> Result<usize, LedgerError> {
    let held = held::find(conn, orders).await?;
    let transfers: Vec<Transfer> = held.into_iter().map(|held| transfer(held, actor, at)).collect();
    let posted = post_many_in_tx(conn, &transfers).await?;
    Ok(posted.into_iter().filter(|posted| *posted == Posted::New).count())
}

fn transfer(held: Held, actor: Option<&str>, at: DateTime<Utc>) -> Transfer {
    Transfer {
        event: format!("order:{}:cancel", held.order),
        debit: Account::Escrow(held.payer.asset()),
        credit: held.payer,
        amount: held.amount,
        reason: Reason::OrderCancel,
        order: Some(held.order),
        payout: None,
        actor: actor.map(str::to_owned),
        note: None,
        at,
    }
}
