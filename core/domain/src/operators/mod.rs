//! People who sign in: who they are, what they may do, and where they are signed in.
//!
//! ```text
//!   password (Argon2id) and code (TOTP) ──sign_in──▶ session ──▶ access token, for minutes
//!                                                       │  ▲
//!                                                       └──┴── refresh token: each use makes the next one
//! ```
//!
//! An access token is good while its session is: every request looks at the session, at most some seconds late, so that a
//! sign-out, a disabled operator or a changed role takes effect at once. An operator whose password was given to him by somebody
//! else, or who has no second factor yet, may do nothing but see to that.

mod account;
mod checks;
mod manage;
mod roles;
mod sessions;
mod sign_in;

use access::{AccessKeys, BuiltInRole, HashedPassword, Permission, PermissionSet};
use chrono::{DateTime, Duration, Utc};
use db::models::{Operator, Role};
use db::{Conn, Pool, acquire};
use tokio::sync::Semaphore;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use account::{Step, change_password, confirm_second_factor, enrol_second_factor, missing, profile};
pub use manage::{By, Change, Made, NewOperator, Reset, change, create, list, reset, sign_out, unlock};
pub use roles::{RoleDraft, remove_role, roles, set_role};
pub use sessions::{authenticate, end_session, end_sessions, refresh, sessions};
pub use sign_in::{Attempt, SignedIn, sign_in};

use crate::DomainError;

/// Passwords that are hashed, or judged, at a time: to hash one takes 19 MiB and a processor.
static HASHING: Semaphore = Semaphore::const_new(2);

/// What lets operators in.
#[derive(Debug)]
pub struct Door {
    /// Signs and seals.
    pub keys: AccessKeys,
    /// How long an access token is good.
    pub access_ttl: Duration,
    /// How long a session is, however much it is used.
    pub session_ttl: Duration,
    /// How long one is that nobody uses.
    pub session_idle: Duration,
    /// How often an operator may ask.
    pub requests_per_minute: u32,
}

/// An operator by his id.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn find(pool: &Pool, id: Uuid) -> Result<Operator, DomainError> {
    let mut conn = acquire(pool).await?;
    let found = Operator::find(&mut conn, id).await?;
    found.ok_or(DomainError::NotFound("operator"))
}

/// What his roles give. A role that there is not gives nothing.
async fn granted(conn: &mut Conn, names: &[String]) -> Result<PermissionSet, DomainError> {
    let (mut given, mut custom) = (PermissionSet::default(), Vec::new());
    for name in names {
        match BuiltInRole::of_name(name) {
            Some(role) => given = given.and(role.permissions()),
            None => custom.push(name.clone()),
        }
    }
    if !custom.is_empty() {
        for role in Role::named(conn, &custom).await? {
            given = given.and(points(&role.permissions));
        }
    }
    Ok(given)
}

/// The points with these words. A word that is none, as of a point that was taken away, gives nothing.
fn points(words: &[String]) -> PermissionSet {
    words.iter().filter_map(|word| Permission::of_word(word)).collect()
}

/// What an operator may do now.
async fn permissions(conn: &mut Conn, operator: &Operator) -> Result<PermissionSet, DomainError> {
    let own: PermissionSet = [Permission::AccountOwn].into_iter().collect();
    if operator.disabled_at.is_some() {
        return Ok(PermissionSet::default());
    }
    if !missing(operator).is_empty() {
        return Ok(own);
    }
    Ok(own.and(granted(conn, &operator.roles).await?))
}

fn is_locked(operator: &Operator, now: DateTime<Utc>) -> bool {
    operator.locked_until.is_some_and(|until| now < until)
}

/// Until when nobody is let in after so many wrong tries in a row: from the third on for a second, twice as long each time, an
/// hour at most.
fn locked_until(failures: i32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let doublings = u32::try_from(failures.checked_sub(3)?).ok()?;
    let seconds = 1_i64.checked_shl(doublings.min(12)).unwrap_or(3_600).min(3_600);
    Some(now + Duration::seconds(seconds))
}

/// Whether the password is this one, on a thread that may take its time.
async fn is_password(hash: HashedPassword, password: &str) -> Result<bool, DomainError> {
    let password = Zeroizing::new(password.to_owned());
    hashing(move || hash.is(&password)).await
}

/// Hashes a password, on a thread that may take its time.
async fn hashed(password: &str) -> Result<HashedPassword, DomainError> {
    let password = Zeroizing::new(password.to_owned());
    let made = hashing(move || HashedPassword::make(&password)).await?;
    made.map_err(|error| DomainError::Broken(error.to_string()))
}

async fn hashing<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, DomainError> {
    let broken = |what: &dyn std::error::Error| DomainError::Broken(format!("hashing a password: {what}"));
    // held by the work itself: who gives up waiting does not stop it
    let permit = HASHING.acquire().await.map_err(|error| broken(&error))?;
    let work = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    });
    work.await.map_err(|error| broken(&error))
}

/// Counts one wrong try, in the caller's transaction, which holds the row.
async fn failed_in_tx(conn: &mut Conn, operator: &Operator, now: DateTime<Utc>) -> Result<(), DomainError> {
    metrics::counter!("switchyard_sign_in_failures_total").increment(1);
    let failures = operator.failures.saturating_add(1);
    let marks = db::models::SignInMarks {
        totp_sealed: operator.totp_sealed.clone(),
        failures,
        locked_until: locked_until(failures, now),
        totp_last_step: operator.totp_last_step,
        last_sign_in_at: operator.last_sign_in_at,
    };
    Ok(Operator::mark_sign_in(conn, operator.id, marks).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slower_with_each_try() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let waits = |failures| locked_until(failures, now).map(|until| (until - now).num_seconds());
        assert_eq!([0, 1, 2].map(waits), [None, None, None]);
        assert_eq!([3, 4, 5, 10].map(waits), [Some(1), Some(2), Some(4), Some(128)]);
        assert_eq!(
            [14, 15, 100, i32::MAX].map(waits),
            [Some(2_048), Some(3_600), Some(3_600), Some(3_600)]
        );
        assert_eq!(waits(i32::MIN), None);
    }
}
