//! A network took coin for a transaction that moved customers' money; also when the transaction failed in its block.
//!
//! | debit | credit | amount | event |
//! |---|---|---|---|
//! | `house:fees:{network}:TRX` | `house:deposits:{network}:TRX` | what was burned | `transaction:{txid}:fee` |

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::{Amount, Asset};

use crate::{Account, LedgerError, NetworkName, Posted, Reason, Transfer, post_many_in_tx};

/// What a transaction burned.
#[derive(Debug, Clone)]
pub struct ChainFee {
    /// 64 hex digits.
    pub txid: String,
    /// Who took it.
    pub network: NetworkName,
    /// How much.
    pub amount: Amount,
}

/// Books fees, each once, and answers how many were new. Transactions that burned nothing are passed.
///
/// # Errors
/// As [`post_many_in_tx`].
pub async fn chain_fees_in_tx(conn: &mut Conn, fees: &[ChainFee], at: DateTime<Utc>) -> Result<usize, LedgerError> {
    let transfers: Vec<Transfer> = fees
        .iter()
        .filter(|fee| !fee.amount.is_zero())
        .map(|fee| transfer(fee, at))
        .collect();
    let posted = post_many_in_tx(conn, &transfers).await?;
    Ok(posted.into_iter().filter(|posted| *posted == Posted::New).count())
}

/// The event of a transaction's fee.
pub(crate) fn event(txid: &str) -> String {
    format!("transaction:{txid}:fee")
}

fn transfer(fee: &ChainFee, at: DateTime<Utc>) -> Transfer {
    Transfer {
        event: event(&fee.txid),
        debit: Account::Fees {
            network: fee.network.clone(),
        },
        credit: Account::Deposits {
            network: fee.network.clone(),
            asset: Asset::Trx,
        },
        amount: fee.amount,
        reason: Reason::ChainFee,
        order: None,
        payout: None,
        actor: None,
        note: None,
        at,
    }
}
