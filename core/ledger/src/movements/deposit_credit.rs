//! What came in on a chain, for good, is credited to a user.
//!
//! | debit | credit | amount | event |
//! |---|---|---|---|
//! | `house:deposits:{network}:{asset}` | `user:{id}:{asset}` | what came | `deposit:{network}:{txid}:{log_index}:credit` |

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::{Amount, Asset, UserId};

use crate::{Account, LedgerError, NetworkName, Posted, Reason, Transfer, post_many_in_tx};

/// One transfer on a chain, by the name that it has there for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnChain {
    /// Where it came in.
    pub network: NetworkName,
    /// The transaction.
    pub txid: String,
    /// The log's place in it; -1 for the coin.
    pub log_index: i32,
}

impl OnChain {
    /// The event of what is done about it.
    pub(super) fn event(&self, what: &str) -> String {
        format!("deposit:{}:{}:{}:{what}", self.network, self.txid, self.log_index)
    }
}

/// What came, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositCredit {
    /// Which transfer.
    pub on_chain: OnChain,
    /// Who gets it.
    pub user: UserId,
    /// Of what.
    pub asset: Asset,
    /// All of it; not zero.
    pub amount: Amount,
    /// Who decided so when a person did: `operator:<name>`, `api_key:<id>`.
    pub actor: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Credits each, all or none, and answers for each in the order given. A transfer that was credited before moves nothing.
///
/// # Errors
/// [`LedgerError::EventReused`] when one was credited before to another user or with another amount; else as
/// [`post_many_in_tx`].
pub async fn credit_deposits_in_tx(conn: &mut Conn, credits: &[DepositCredit]) -> Result<Vec<Posted>, LedgerError> {
    post_many_in_tx(conn, &transfers(credits)).await
}

/// The transfers of credits, in the order given.
pub(super) fn transfers(credits: &[DepositCredit]) -> Vec<Transfer> {
    credits
        .iter()
        .map(|credit| Transfer {
            event: credit.on_chain.event("credit"),
            debit: Account::Deposits {
                network: credit.on_chain.network.clone(),
                asset: credit.asset,
            },
            credit: Account::User {
                user: credit.user,
                asset: credit.asset,
            },
            amount: credit.amount,
            reason: Reason::DepositCredit,
            order: None,
            payout: None,
            actor: credit.actor.clone(),
            note: None,
            at: credit.at,
        })
        .collect()
}
