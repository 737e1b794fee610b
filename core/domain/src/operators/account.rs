//! What an operator sees to himself: his password and his second factor. Both ask for the password again, since who finds an open
//! session must not be able to keep it.

use access::{HashedPassword, PermissionSet, TotpSecret, check_password};
use chrono::{DateTime, Utc};
use db::models::{Credentials, Operator, OperatorSession};
use db::{Conn, Pool, acquire, run_tx, trail};
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Door, failed_in_tx, find, hashed, hashing, is_locked, is_password, permissions};
use crate::DomainError;

/// What an operator has to see to before he may do anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Choose a password of his own.
    ChangePassword,
    /// Set up a second factor.
    EnrolSecondFactor,
}

impl Step {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ChangePassword => "change_password",
            Self::EnrolSecondFactor => "enrol_totp",
        }
    }
}

/// What is missing before an operator may do what his roles give.
#[must_use]
pub fn missing(operator: &Operator) -> Vec<Step> {
    let steps = [
        (operator.must_change_password, Step::ChangePassword),
        (operator.totp_sealed.is_none(), Step::EnrolSecondFactor),
    ];
    steps
        .into_iter()
        .filter_map(|(missing, step)| missing.then_some(step))
        .collect()
}

/// An operator, and what he may do now.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn profile(pool: &Pool, id: Uuid) -> Result<(Operator, PermissionSet), DomainError> {
    let mut conn = acquire(pool).await?;
    let operator = Operator::find(&mut conn, id).await?;
    let operator = operator.ok_or(DomainError::NotFound("operator"))?;
    let may = permissions(&mut conn, &operator).await?;
    Ok((operator, may))
}

/// Changes the password, and ends all other sessions.
///
/// # Errors
/// [`DomainError::NotProven`] where the current one is wrong, [`DomainError::WeakPassword`] where the new one is too weak or the
/// same.
pub async fn change_password(
    pool: &Pool,
    (id, session): (Uuid, Uuid),
    (current, new): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let proven = proven(pool, id, current, now).await?;
    if current == new {
        return Err(DomainError::BadText("the new password must be another one"));
    }
    let known = [proven.email.clone(), proven.name.clone()];
    let wanted = Zeroizing::new(new.to_owned());
    hashing(move || check_password(&wanted, &known.each_ref().map(String::as_str))).await??;
    let hash = hashed(new).await?;
    run_tx(pool, "change_password", async |conn| {
        let operator = unchanged(conn, &proven, now).await?;
        let credentials = Credentials {
            password_hash: hash.as_str().to_owned(),
            password_set_at: now,
            must_change_password: false,
            failures: 0,
            locked_until: None,
            ..operator.credentials()
        };
        Operator::set_credentials(conn, id, credentials).await?;
        let ended = OperatorSession::end_all(conn, id, Some(session), "password_changed", now).await?;
        trail::changed(|| json!({ "operator": id, "password": "changed", "sessions_ended": ended }));
        Ok(())
    })
    .await
}

/// Makes a second factor that counts once a code of it was shown. Until then the one before goes on.
///
/// # Errors
/// [`DomainError::NotProven`] where the password is wrong.
pub async fn enrol_second_factor(
    pool: &Pool,
    door: &Door,
    id: Uuid,
    password: &str,
    now: DateTime<Utc>,
) -> Result<(Operator, TotpSecret), DomainError> {
    let proven = proven(pool, id, password, now).await?;
    let secret = TotpSecret::generate().map_err(no_randomness)?;
    let sealed = door
        .keys
        .seal(Door::owner(&proven), secret.bytes())
        .map_err(no_randomness)?;
    run_tx(pool, "enrol_second_factor", async |conn| {
        let operator = unchanged(conn, &proven, now).await?;
        let credentials = Credentials {
            totp_pending: Some(sealed.clone()),
            ..operator.credentials()
        };
        Operator::set_credentials(conn, id, credentials).await?;
        trail::changed(|| json!({ "operator": id, "second_factor": "made" }));
        Ok::<_, DomainError>(())
    })
    .await?;
    Ok((proven, secret))
}

/// Lets the second factor that was made count from now on, once a code of it is shown; ends all other sessions.
///
/// # Errors
/// [`DomainError::NotProven`] where the code is wrong, [`DomainError::NotFound`] where none was made.
pub async fn confirm_second_factor(
    pool: &Pool,
    door: &Door,
    (id, session): (Uuid, Uuid),
    code: &str,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let confirmed = run_tx(pool, "confirm_second_factor", async |conn| {
        let operator = Operator::lock(conn, id)
            .await?
            .ok_or(DomainError::NotFound("operator"))?;
        let pending = operator.totp_pending.as_ref();
        let pending = pending.ok_or(DomainError::NotFound("second factor"))?;
        if is_locked(&operator, now) {
            return Ok(false);
        }
        // the codes of another secret say nothing about these
        let anew = Operator {
            totp_last_step: None,
            ..operator.clone()
        };
        let Some(step) = door.step_of(&anew, pending, code, now)? else {
            failed_in_tx(conn, &operator, now).await?;
            return Ok(false);
        };
        let credentials = Credentials {
            totp_sealed: operator.totp_pending.clone(),
            totp_pending: None,
            totp_last_step: Some(step),
            failures: 0,
            locked_until: None,
            ..operator.credentials()
        };
        Operator::set_credentials(conn, id, credentials).await?;
        let ended = OperatorSession::end_all(conn, id, Some(session), "second_factor_changed", now).await?;
        trail::changed(|| json!({ "operator": id, "second_factor": "counts", "sessions_ended": ended }));
        Ok::<_, DomainError>(true)
    })
    .await?;
    if confirmed { Ok(()) } else { Err(DomainError::NotProven) }
}

/// The operator, if this is his password. A wrong one is counted as at a sign-in. To compare takes its time: whoever guesses many at once
/// is not told of the right one, in no answer, once the others have him wait. The look at the row waits for what is being counted.
async fn proven(pool: &Pool, id: Uuid, password: &str, now: DateTime<Utc>) -> Result<Operator, DomainError> {
    let operator = find(pool, id).await?;
    if is_locked(&operator, now) {
        return Err(DomainError::NotProven);
    }
    if is_password(HashedPassword::kept(operator.password_hash.clone()), password).await? {
        return unchanged(&mut *acquire(pool).await?, &operator, now).await;
    }
    run_tx(pool, "count_wrong_password", async |conn| {
        let operator = Operator::lock(conn, id)
            .await?
            .ok_or(DomainError::NotFound("operator"))?;
        trail::changed(|| json!({ "operator": id, "failures": operator.failures.saturating_add(1) }));
        failed_in_tx(conn, &operator, now).await
    })
    .await?;
    Err(DomainError::NotProven)
}

/// Locks the operator, within a transaction until its end; his password must be the one that was compared, and he must not have to wait.
async fn unchanged(conn: &mut Conn, proven: &Operator, now: DateTime<Utc>) -> Result<Operator, DomainError> {
    let operator = Operator::lock(conn, proven.id).await?;
    let operator = operator.ok_or(DomainError::NotFound("operator"))?;
    let changed = operator.password_hash != proven.password_hash || operator.disabled_at.is_some();
    if changed || is_locked(&operator, now) {
        return Err(DomainError::NotProven);
    }
    Ok(operator)
}

fn no_randomness(error: access::NoRandomness) -> DomainError {
    DomainError::Broken(error.to_string())
}
