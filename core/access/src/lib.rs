//! Who may do what: the points that routes ask for, what gives them, and how an operator proves who he is.
//!
//! ```text
//!   route ──needs──▶ Permission ◀──gives── Scope of an API key
//!                        ▲
//!                        └────────gives── role of an operator ◀── token ◀── password and code
//! ```
//!
//! Nothing here does I/O, and nothing but the making of secrets is random: times come from the caller.

mod keys;
mod password;
mod permission;
mod role;
mod scope;
mod signature;
mod token;
mod totp;

use ring::rand::{SecureRandom, SystemRandom};

pub use keys::{AccessKeys, KeyError, NotOpened};
pub use password::{HashedPassword, MAX_PASSWORD, MIN_PASSWORD, Weak, check_password, fresh_password};
pub use permission::{Permission, PermissionSet};
pub use role::BuiltInRole;
pub use scope::Scope;
pub use signature::{SIGNATURE_WINDOW_MS, SIGNING_SECRET_LEN, SignedParts};
pub use token::{Claims, RefreshToken};
pub use totp::TotpSecret;

/// Fresh random bytes, as many as an API key is made of.
///
/// # Errors
/// When the system has none.
pub fn randomness() -> Result<[u8; 64], NoRandomness> {
    let mut bytes = [0; 64];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// The system has no randomness to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no randomness")]
pub struct NoRandomness;
