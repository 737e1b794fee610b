//! What is known of receivers: whether the chain lets them receive energy.

use chain::Receiver;
use chrono::{DateTime, Utc};
use db::models::{ReceiverCheck, Verdict};
use db::{Conn, Pool, acquire};

use crate::DomainError;

/// The reason code of an order whose receiver cannot receive, or `None` where it can.
#[must_use]
pub const fn refusal_code(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Ok => None,
        Verdict::NotActivated => Some("receiver_not_activated"),
        Verdict::Contract => Some("receiver_is_contract"),
    }
}

/// The chain's answer as it is stored.
#[must_use]
pub const fn verdict(receiver: Receiver) -> Verdict {
    match receiver {
        Receiver::Account => Verdict::Ok,
        Receiver::NotActivated => Verdict::NotActivated,
        Receiver::Contract => Verdict::Contract,
    }
}

/// What was found out since `since`, if anything. Only a good verdict is believed for long: an address that was not
/// activated may be so a minute later.
///
/// # Errors
/// When the database cannot be asked.
pub async fn known(conn: &mut Conn, network: &str, address: &str, since: DateTime<Utc>) -> Result<bool, DomainError> {
    Ok(ReceiverCheck::fresh(conn, network, address, since).await? == Some(Verdict::Ok))
}

/// Remembers a verdict.
///
/// # Errors
/// When the row cannot be written.
pub async fn remember(
    pool: &Pool,
    network: &str,
    address: &str,
    verdict: Verdict,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let mut conn = acquire(pool).await?;
    let check = ReceiverCheck {
        network: network.to_owned(),
        address: address.to_owned(),
        verdict,
        checked_at: now,
    };
    Ok(check.upsert(&mut conn).await?)
}
