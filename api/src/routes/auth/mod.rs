//! `/api/auth`: operators sign in, and see to their own passwords, second factors and sessions.

pub(crate) mod change_password;
pub(crate) mod confirm_totp;
pub(crate) mod end_session;
pub(crate) mod enrol_totp;
pub(crate) mod list_sessions;
pub(crate) mod me;
pub(crate) mod refresh;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod sign_out_everywhere;

use chrono::{DateTime, Utc};
use db::models::OperatorSession;
use domain::operators::{SignedIn, missing};
use domain::principals::Principal;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::Problem;

/// What an operator shows from now on.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedInView {
    /// `Authorization: Bearer …`, until `access_expires_at`.
    access_token: String,
    access_expires_at: DateTime<Utc>,
    /// Gets the next access token from `POST /api/auth/refresh`, once: the answer holds the next one.
    refresh_token: String,
    session_id: Uuid,
    /// Then the operator signs in again, however much the session was used.
    session_expires_at: DateTime<Utc>,
    operator_id: Uuid,
    /// What is missing before the operator may do anything else: `change_password`, `enrol_totp`.
    next: Vec<&'static str>,
}

impl From<SignedIn> for SignedInView {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            next: missing(&signed_in.operator).iter().map(|step| step.word()).collect(),
            access_token: signed_in.access_token,
            access_expires_at: signed_in.access_until,
            refresh_token: signed_in.refresh_token,
            session_id: signed_in.session.id,
            session_expires_at: signed_in.session.expires_at,
            operator_id: signed_in.operator.id,
        }
    }
}

/// Where an operator is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    id: Uuid,
    /// Whether it is the one that asks.
    current: bool,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// From where it was begun.
    #[schema(example = "203.0.113.7")]
    address: Option<String>,
    /// The program that it was begun with.
    agent: Option<String>,
}

impl SessionView {
    pub(crate) fn new(session: OperatorSession, current: Option<Uuid>) -> Self {
        Self {
            current: current == Some(session.id),
            id: session.id,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            address: session.address,
            agent: session.agent,
        }
    }
}

/// The operator and the session that a request is of.
fn own(caller: &Principal) -> Result<(Uuid, Uuid), Problem> {
    // no key has the permission that these routes need
    let session = caller
        .session
        .ok_or_else(|| Problem::internal("a key at a route of operators"))?;
    Ok((caller.key.0, session))
}
