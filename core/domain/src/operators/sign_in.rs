//! A sign-in: the password, then the code, then a session.

use access::{Claims, HashedPassword, RefreshToken, TotpSecret};
use chrono::{DateTime, Utc};
use db::models::{Operator, OperatorSession, SignInMarks};
use db::{Conn, Pool, acquire, run_tx, trail};
use kernel::IdGen;
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Door, failed_in_tx, is_locked, is_password};
use crate::DomainError;

/// What is typed, and where.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// Who he says he is.
    pub email: &'a str,
    /// His password.
    pub password: &'a str,
    /// The code of his second factor.
    pub code: Option<&'a str>,
    /// The client's address.
    pub address: Option<&'a str>,
    /// The client's program.
    pub agent: Option<&'a str>,
}

impl std::fmt::Debug for Attempt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempt(redacted)")
    }
}

/// A session, and what is shown for it.
pub struct SignedIn {
    /// Who.
    pub operator: Operator,
    /// The session.
    pub session: OperatorSession,
    /// Good for some minutes.
    pub access_token: String,
    /// Until then.
    pub access_until: DateTime<Utc>,
    /// Gets the next one.
    pub refresh_token: String,
}

/// How it went. All are committed: a wrong try is counted.
enum Went {
    In(OperatorSession),
    Wrong,
    CodeNeeded,
}

/// Signs an operator in. Whoever does not exist, is disabled or has to wait is told the same as with a wrong password, and after
/// the same work.
///
/// # Errors
/// [`DomainError::SignInFailed`], or [`DomainError::CodeNeeded`] where the password was right and a code is missing.
pub async fn sign_in(
    pool: &Pool,
    door: &Door,
    ids: &dyn IdGen,
    attempt: Attempt<'_>,
    now: DateTime<Utc>,
) -> Result<SignedIn, DomainError> {
    let email = attempt.email.trim().to_lowercase();
    let known = Operator::find_by_email(&mut *acquire(pool).await?, &email).await?;
    let hash = known.as_ref().map_or_else(HashedPassword::nobodys, |operator| {
        HashedPassword::kept(operator.password_hash.clone())
    });
    let right = is_password(hash, attempt.password).await?;
    let Some(known) = known else {
        metrics::counter!("switchyard_sign_in_failures_total").increment(1);
        return Err(DomainError::SignInFailed);
    };
    trail::by(&format!("operator:{}", known.id), &known.email);
    let session = new_session(door, ids, known.id, attempt, now);
    let (operator, went) = run_tx(pool, "sign_in", async |conn| {
        let operator = Operator::lock(conn, known.id).await?;
        let operator = operator.ok_or(DomainError::SignInFailed)?;
        // the password may have been changed since it was compared
        let right = right && operator.password_hash == known.password_hash;
        let went = judge_in_tx(conn, door, (&operator, right), (attempt.code, &session), now).await?;
        Ok::<_, DomainError>((operator, went))
    })
    .await?;
    match went {
        Went::In(session) => door.admit(operator, session, now),
        Went::Wrong => Err(DomainError::SignInFailed),
        Went::CodeNeeded => Err(DomainError::CodeNeeded),
    }
}

async fn judge_in_tx(
    conn: &mut Conn,
    door: &Door,
    (operator, right): (&Operator, bool),
    (code, session): (Option<&str>, &OperatorSession),
    now: DateTime<Utc>,
) -> Result<Went, DomainError> {
    if is_locked(operator, now) || operator.disabled_at.is_some() {
        return Ok(Went::Wrong);
    }
    let step = match (right, &operator.totp_sealed, code) {
        (false, ..) => None,
        (true, None, _) => Some(operator.totp_last_step),
        (true, Some(_), None) => return Ok(Went::CodeNeeded),
        (true, Some(sealed), Some(code)) => door.step_of(operator, sealed, code, now)?.map(Some),
    };
    let Some(totp_last_step) = step else {
        failed_in_tx(conn, operator, now).await?;
        trail::changed(|| json!({ "operator": operator.id, "failures": operator.failures.saturating_add(1) }));
        return Ok(Went::Wrong);
    };
    let sealed = operator.totp_sealed.as_deref();
    let marks = SignInMarks {
        totp_sealed: sealed.map(|sealed| door.sealed_anew(operator, sealed)).transpose()?,
        failures: 0,
        locked_until: None,
        totp_last_step,
        last_sign_in_at: Some(now),
    };
    Operator::mark_sign_in(conn, operator.id, marks).await?;
    session.insert(conn).await?;
    trail::changed(|| json!({ "operator": operator.id, "session": session.id, "until": session.expires_at }));
    Ok(Went::In(session.clone()))
}

fn new_session(
    door: &Door,
    ids: &dyn IdGen,
    operator_id: Uuid,
    attempt: Attempt<'_>,
    now: DateTime<Utc>,
) -> OperatorSession {
    let cut = |text: &str, most: usize| text.chars().filter(|c| !c.is_control()).take(most).collect::<String>();
    OperatorSession {
        id: ids.uuid(),
        operator_id,
        generation: 0,
        rotated_at: now,
        created_at: now,
        last_used_at: now,
        expires_at: now + door.session_ttl,
        ended_at: None,
        ended_why: None,
        address: attempt.address.map(|address| cut(address, 100)),
        agent: attempt.agent.map(|agent| cut(agent, 200)),
    }
}

impl Door {
    /// What an operator's second factor is bound to.
    pub(super) const fn owner(operator: &Operator) -> &[u8; 16] {
        operator.id.as_bytes()
    }

    fn opened(&self, operator: &Operator, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DomainError> {
        let broken = |_| {
            DomainError::Broken(format!(
                "the second factor of operator {} cannot be opened",
                operator.id
            ))
        };
        self.keys.open(Self::owner(operator), sealed).map_err(broken)
    }

    /// A second factor under the newest key, so that older ones can be taken out.
    fn sealed_anew(&self, operator: &Operator, sealed: &[u8]) -> Result<Vec<u8>, DomainError> {
        if self.keys.is_newest(sealed) {
            return Ok(sealed.to_vec());
        }
        let secret = self.opened(operator, sealed)?;
        let anew = self.keys.seal(Self::owner(operator), &secret);
        anew.map_err(|error| DomainError::Broken(error.to_string()))
    }

    /// The half minute that a code is of, if it is right and none of then or later was taken before.
    pub(super) fn step_of(
        &self,
        operator: &Operator,
        sealed: &[u8],
        code: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<i64>, DomainError> {
        let broken = || DomainError::Broken(format!("the second factor of operator {} is none", operator.id));
        let secret = TotpSecret::from_bytes(&self.opened(operator, sealed)?).ok_or_else(broken)?;
        let step = secret.step_of(code, now);
        Ok(step.filter(|step| operator.totp_last_step.is_none_or(|last| *step > last)))
    }

    /// The tokens of a session.
    pub(super) fn admit(
        &self,
        operator: Operator,
        session: OperatorSession,
        now: DateTime<Utc>,
    ) -> Result<SignedIn, DomainError> {
        let access_until = (now + self.access_ttl).min(session.expires_at);
        let claims = Claims {
            sub: operator.id,
            sid: session.id,
            iat: now.timestamp(),
            exp: access_until.timestamp(),
        };
        let token = self.keys.sign(claims);
        let refresh = RefreshToken {
            session: session.id,
            generation: session.generation,
        };
        Ok(SignedIn {
            access_token: token.map_err(|error| DomainError::Broken(format!("an access token: {error}")))?,
            access_until,
            refresh_token: self.keys.write_refresh(refresh),
            operator,
            session,
        })
    }
}
