//! Sessions: looked at by each request, refreshed, listed and ended.

use access::RefreshToken;
use chrono::{DateTime, Duration, Utc};
use db::models::{Operator, OperatorSession};
use db::{Conn, Pool, acquire, run_tx, trail};
use kernel::ApiKeyId;
use serde_json::json;
use uuid::Uuid;

use super::{Door, SignedIn, permissions};
use crate::DomainError;
use crate::principals::Principal;

/// For so long the token before is answered as the current one: the answer to it may have been lost.
const LOST_ANSWER: Duration = Duration::seconds(60);

/// Who presents this access token, if it is right, its session goes on and he is not disabled.
///
/// # Errors
/// When the database cannot be asked.
pub async fn authenticate(
    pool: &Pool,
    door: &Door,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Option<Principal>, DomainError> {
    let Some(claims) = door.keys.verify(token, now) else {
        return Ok(None);
    };
    let mut conn = acquire(pool).await?;
    let Some((session, operator)) = OperatorSession::find_with_operator(&mut conn, claims.sid).await? else {
        return Ok(None);
    };
    if operator.id != claims.sub || !goes_on(door, (&session, &operator), now) {
        return Ok(None);
    }
    let principal = Principal {
        key: ApiKeyId(operator.id),
        permissions: permissions(&mut conn, &operator).await?,
        name: operator.email,
        rate_limit_per_minute: door.requests_per_minute,
        works_until: DateTime::from_timestamp(claims.exp, 0),
        allowed_from: Vec::new(),
        session: Some(session.id),
        signing: Vec::new(),
    };
    OperatorSession::touch(&mut conn, session.id, now).await?;
    Ok(Some(principal))
}

fn goes_on(door: &Door, (session, operator): (&OperatorSession, &Operator), now: DateTime<Utc>) -> bool {
    session.ended_at.is_none()
        && operator.disabled_at.is_none()
        && now < session.expires_at
        && now - session.last_used_at < door.session_idle
}

/// The next tokens of a session. The same refresh token again within a minute gets the same answer; later it was stolen from
/// whoever used it, or by him: the session ends.
///
/// # Errors
/// [`DomainError::SessionOver`]: sign in again.
pub async fn refresh(pool: &Pool, door: &Door, token: &str, now: DateTime<Utc>) -> Result<SignedIn, DomainError> {
    let token = door.keys.read_refresh(token).ok_or(DomainError::SessionOver)?;
    let session = run_tx(pool, "refresh_session", async |conn| {
        refresh_in_tx(conn, door, token, now).await
    });
    let (session, operator) = session.await?.ok_or(DomainError::SessionOver)?;
    door.admit(operator, session, now)
}

async fn refresh_in_tx(
    conn: &mut Conn,
    door: &Door,
    token: RefreshToken,
    now: DateTime<Utc>,
) -> Result<Option<(OperatorSession, Operator)>, DomainError> {
    let Some(mut session) = OperatorSession::lock(conn, token.session).await? else {
        return Ok(None);
    };
    let operator = Operator::find(conn, session.operator_id).await?;
    let operator = operator.ok_or_else(|| DomainError::Broken(format!("session {} of nobody", session.id)))?;
    trail::by(&format!("operator:{}", operator.id), &operator.email);
    if !goes_on(door, (&session, &operator), now) {
        return Ok(None);
    }
    let behind = i64::from(session.generation) - i64::from(token.generation);
    if behind == 0 {
        session.generation = session.generation.saturating_add(1);
        OperatorSession::rotate(conn, session.id, session.generation, now).await?;
        trail::changed(|| json!({ "session": session.id, "generation": session.generation }));
        return Ok(Some((session, operator)));
    }
    if behind == 1 && now - session.rotated_at < LOST_ANSWER {
        return Ok(Some((session, operator)));
    }
    metrics::counter!("switchyard_refresh_tokens_reused_total").increment(1);
    tracing::warn!(operator = %operator.id, session = %session.id, "an old refresh token was used: the session ends");
    trail::changed(|| json!({ "session": session.id, "ended": "token_reused" }));
    OperatorSession::end(conn, (operator.id, session.id), "token_reused", now).await?;
    Ok(None)
}

/// Where an operator is signed in, newest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn sessions(pool: &Pool, operator: Uuid, now: DateTime<Utc>) -> Result<Vec<OperatorSession>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(OperatorSession::alive_of(&mut conn, operator, now).await?)
}

/// Ends one session of an operator.
///
/// # Errors
/// [`DomainError::NotFound`] where it is none of his, or over.
pub async fn end_session(pool: &Pool, of: (Uuid, Uuid), now: DateTime<Utc>) -> Result<(), DomainError> {
    run_tx(pool, "end_session", async |conn| {
        trail::changed(|| json!({ "session": of.1, "ended": "signed_out" }));
        if OperatorSession::end(conn, of, "signed_out", now).await? {
            Ok(())
        } else {
            Err(DomainError::NotFound("session"))
        }
    })
    .await
}

/// Ends all sessions of an operator; answers how many there were.
///
/// # Errors
/// When the database cannot be asked.
pub async fn end_sessions(pool: &Pool, operator: Uuid, now: DateTime<Utc>) -> Result<usize, DomainError> {
    run_tx(pool, "end_sessions", async |conn| {
        let ended = OperatorSession::end_all(conn, operator, None, "signed_out_everywhere", now).await?;
        trail::changed(|| json!({ "operator": operator, "sessions_ended": ended }));
        Ok(ended)
    })
    .await
}
