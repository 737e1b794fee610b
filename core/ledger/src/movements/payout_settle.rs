//! A payout has left, once the block that carries it is solidified: the chain holds so much less for us.
//!
//! | debit | credit | amount | event |
//! |---|---|---|---|
//! | `house:payouts:{asset}` | `house:deposits:{network}:{asset}` | what was set aside | `payout:{payout}:settle` |

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::PayoutId;

use super::payout_held;
use crate::{Account, LedgerError, NetworkName, Posted, Reason, Transfer, post_in_tx};

/// Moves what was set aside for the payout out of the house, on this network. No user account is touched.
///
/// # Errors
/// [`LedgerError::PayoutNotHeld`] when nothing was set aside, [`LedgerError::PayoutEnded`] when it was given back; else as
/// [`post_in_tx`].
pub async fn payout_settle_in_tx(
    conn: &mut Conn,
    payout: PayoutId,
    network: &NetworkName,
    at: DateTime<Utc>,
) -> Result<Posted, LedgerError> {
    let (payer, amount) = payout_held::find(conn, payout).await?;
    let asset = payer.asset();
    let transfer = Transfer {
        event: format!("payout:{payout}:settle"),
        debit: Account::Payouts(asset),
        credit: Account::Deposits {
            network: network.clone(),
            asset,
        },
        amount,
        reason: Reason::PayoutSettle,
        order: None,
        payout: Some(payout),
        actor: None,
        note: None,
        at,
    };
    post_in_tx(conn, &transfer).await
}
