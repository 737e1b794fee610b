//! What is known of receivers: whether the chain lets them receive energy.

use chain::Receiver;
use chrono::{DateTime, Utc};
use db::models::{ReceiverCheck, Verdict};
use db::{Pool, acquire};

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

/// Remembers a verdict. Only a good one is believed for long: an address that was not activated may be so a minute later.
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
