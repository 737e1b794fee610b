//! Webhooks as the Standard Webhooks specification has them: secrets and signatures, which addresses may be called at
//! all, and one call that goes there and nowhere else.
//!
//! ```text
//!   url ── Target::parse ──▶ Target ──▶ WebhookClient::send
//!          scheme, host form,            resolves the name itself, refuses it if any of its addresses is none that may be
//!          literal addresses             called, connects to what was checked; no redirect, no proxy, bounded time and answer
//! ```
//!
//! Knows nothing of the database or of when to try again.

mod client;
mod secret;
mod signature;
mod target;

pub use client::{Answer, CallPolicy, Headers, KEPT, SendError, WebhookClient};
pub use secret::{SECRET_LEN, SecretError, WebhookSecret};
pub use signature::sign;
pub use target::{Target, TargetError, TargetPolicy, is_public, origin};
