//! Webhooks: endpoints that are told of events, their secrets, and the sending of what is due.
//!
//! A message is one event for one endpoint; its id is that of the event, and stays the same however often it is sent. The
//! sending itself is the worker's.

mod deliver;
mod endpoints;

pub use deliver::{
    MAX_RETRY_AFTER, Run, SendResult, ToDeliver, body, deliveries_page, finish_run, next_attempt, prune, record,
    take_due, wake_due,
};
pub(crate) use endpoints::find_in_tx;
pub use endpoints::{
    FreshSecret, Register, Registered, SECRET_OVERLAP, TestSent, find, page, register, remove, rotate_secret, send_test,
};

pub use webhook::TargetPolicy;

use webhook::Target;

use crate::DomainError;

/// The address in its normal form, if messages may go there.
///
/// # Errors
/// [`DomainError::WebhookUrl`].
pub fn checked_url(url: &str, policy: TargetPolicy) -> Result<String, DomainError> {
    let target = Target::parse(url, policy).map_err(DomainError::WebhookUrl)?;
    Ok(target.as_str().to_owned())
}

/// What operators call an endpoint, if it can be kept.
///
/// # Errors
/// [`DomainError::BadText`].
pub fn checked_description(text: Option<&str>) -> Result<Option<String>, DomainError> {
    let fits = |text: &&str| text.chars().count() <= 200 && !text.chars().any(char::is_control);
    match text {
        Some(text) if !fits(&text) => Err(DomainError::BadText(
            "description must have at most 200 printable characters",
        )),
        text => Ok(text.map(ToOwned::to_owned)),
    }
}
