//! A delivered order is earned, once the block that delivered it is solidified.
//!
//! | debit | credit | amount | event |
//! |---|---|---|---|
//! | `house:escrow:{asset}` | `house:revenue:{asset}` | what was held | `order:{order}:settle` |

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::OrderId;

use super::held::{self, Held};
use crate::{Account, LedgerError, Posted, Reason, Transfer, post_many_in_tx};

/// Moves what was held for the order to revenue.
///
/// # Errors
/// As [`settle_many_in_tx`].
pub async fn settle_in_tx(conn: &mut Conn, order: OrderId, at: DateTime<Utc>) -> Result<Posted, LedgerError> {
    let new = settle_many_in_tx(conn, &[order], at).await?;
    Ok(if new == 0 { Posted::Already } else { Posted::New })
}

/// Settles many orders with two statements, all or none, and answers how many were not settled before. No user account
/// is touched, so this waits for nobody.
///
/// # Errors
/// [`LedgerError::NotHeld`] when one was never paid for, [`LedgerError::OrderEnded`] when one was refunded or cancelled;
/// else as [`post_many_in_tx`].
pub async fn settle_many_in_tx(conn: &mut Conn, orders: &[OrderId], at: DateTime<Utc>) -> Result<usize, LedgerError> {
    let held = held::find(conn, orders).await?;
    let transfers: Vec<Transfer> = held.iter().map(|held| transfer(held, at)).collect();
    let posted = post_many_in_tx(conn, &transfers).await?;
    Ok(posted.into_iter().filter(|posted| *posted == Posted::New).count())
}

fn transfer(held: &Held, at: DateTime<Utc>) -> Transfer {
    let asset = held.payer.asset();
    Transfer {
        event: format!("order:{}:settle", held.order),
        debit: Account::Escrow(asset),
        credit: Account::Revenue(asset),
        amount: held.amount,
        reason: Reason::OrderSettle,
        order: Some(held.order),
        payout: None,
        actor: None,
        note: None,
        at,
    }
}
