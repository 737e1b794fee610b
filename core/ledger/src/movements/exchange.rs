//! A user's USDT becomes TRX at a stored rate: two legs, both or neither.
//!
//! | leg | debit | credit | amount | event |
//! |---|---|---|---|---|
//! | usdt | `user:{id}:USDT` | `house:exchange:USDT` | what is exchanged | `exchange:{exchange}:usdt` |
//! | trx | `house:exchange:TRX` | `user:{id}:TRX` | what the rate makes of it, rounded down | `exchange:{exchange}:trx` |
//!
//! Of what comes in by a deposit and is exchanged at once, the legs are posted by the statement of the credit: whoever moves
//! money of several users locks their accounts in one order.

use chrono::{DateTime, Utc};
use db::Conn;
use kernel::{Amount, Asset, ExchangeId, UserId};

use super::DepositCredit;
use super::deposit_credit;
use crate::{Account, LedgerError, Posted, Reason, Transfer, post_many_in_tx};

/// What is exchanged, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeLegs {
    /// The exchange, whose row says at which rate.
    pub exchange: ExchangeId,
    /// Whose money.
    pub user: UserId,
    /// What the user gives; not zero.
    pub usdt: Amount,
    /// What the user gets; not zero.
    pub trx: Amount,
    /// Who asked for it, when a person or a client did: `api_key:<id>`, `operator:<name>`.
    pub actor: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Posts both legs.
///
/// # Errors
/// [`LedgerError::InsufficientFunds`] when the user has less USDT (the transaction is aborted then);
/// [`LedgerError::EventReused`] when the exchange was posted before with other figures; else as [`post_many_in_tx`].
pub async fn exchange_in_tx(conn: &mut Conn, legs: &ExchangeLegs) -> Result<Posted, LedgerError> {
    let posted = post_many_in_tx(conn, &transfers(legs)).await?;
    Ok(if posted.contains(&Posted::New) {
        Posted::New
    } else {
        Posted::Already
    })
}

/// Credits what came in, and exchanges what of it is to be exchanged: all or none.
///
/// # Errors
/// As [`super::credit_deposits_in_tx`] and [`exchange_in_tx`].
pub async fn credit_and_exchange_in_tx(
    conn: &mut Conn,
    credits: &[DepositCredit],
    exchanges: &[ExchangeLegs],
) -> Result<Vec<Posted>, LedgerError> {
    let mut all = deposit_credit::transfers(credits);
    // a user's legs come after the credits to the same account, and keep that place
    all.extend(exchanges.iter().flat_map(transfers));
    let mut posted = post_many_in_tx(conn, &all).await?;
    posted.truncate(credits.len());
    Ok(posted)
}

fn transfers(legs: &ExchangeLegs) -> [Transfer; 2] {
    let ExchangeLegs { exchange, user, .. } = *legs;
    let of_user = |asset| Account::User { user, asset };
    let leg = |name: &str, debit: Account, credit: Account, amount| Transfer {
        event: format!("exchange:{exchange}:{name}"),
        debit,
        credit,
        amount,
        reason: Reason::Exchange,
        order: None,
        payout: None,
        actor: legs.actor.clone(),
        note: None,
        at: legs.at,
    };
    [
        leg("usdt", of_user(Asset::Usdt), Account::Exchange(Asset::Usdt), legs.usdt),
        leg("trx", Account::Exchange(Asset::Trx), of_user(Asset::Trx), legs.trx),
    ]
}
