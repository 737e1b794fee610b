//! An operator takes the credit of a deposit back: it was another user's, or never to be credited.
//!
//! | debit | credit | amount | event |
//! |---|---|---|---|
//! | `user:{id}:{asset}` | `house:deposits:{network}:{asset}` | the credit | `deposit:{network}:{txid}:{log_index}:reversal` |

use db::Conn;

use super::DepositCredit;
use super::deposit_credit::OnChain;
use crate::transfer::check_text;
use crate::{Account, LedgerError, Posted, Reason, Transfer, post_in_tx};

/// Takes a credit back. `credit` is the one that was given, with who takes it back and when; `note` says why.
///
/// # Errors
/// [`LedgerError::InsufficientFunds`] when the user has spent it (the transaction is aborted then); else as
/// [`post_in_tx`].
pub async fn reverse_deposit_in_tx(conn: &mut Conn, credit: &DepositCredit, note: &str) -> Result<Posted, LedgerError> {
    check_text("note", note, 500)?;
    let DepositCredit { user, asset, .. } = *credit;
    let OnChain { network, .. } = &credit.on_chain;
    let transfer = Transfer {
        event: credit.on_chain.event("reversal"),
        debit: Account::User { user, asset },
        credit: Account::Deposits {
            network: network.clone(),
            asset,
        },
        amount: credit.amount,
        reason: Reason::DepositReversal,
        order: None,
        payout: None,
        actor: credit.actor.clone(),
        note: Some(note.to_owned()),
        at: credit.at,
    };
    post_in_tx(conn, &transfer).await
}
