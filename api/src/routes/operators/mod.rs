//! `/api/operators`: who may sign in, and what they may do.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod reset_password;
pub(crate) mod reset_totp;
pub(crate) mod sessions;
pub(crate) mod sign_out;
pub(crate) mod unlock;
pub(crate) mod update;

use axum::Json;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use db::models::Operator;
use domain::DomainError;
use domain::operations::is_reason;
use domain::operators::{By, Made, Reset, reset};
use domain::principals::Principal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{mark, replayed};
use crate::App;
use crate::extract::{Idempotent, path};
use crate::problem::Problem;

/// Somebody who signs in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperatorView {
    /// Timelines name him `operator:` and this.
    id: Uuid,
    #[schema(example = "anna@example.org")]
    email: String,
    #[schema(example = "Anna")]
    name: String,
    /// See `GET /api/roles`.
    #[schema(example = json!(["finance_manager"]))]
    roles: Vec<String>,
    /// Whether he may sign in.
    enabled: bool,
    /// Whether he has a second factor.
    totp: bool,
    /// Whether his password was given to him by somebody else.
    must_change_password: bool,
    /// After wrong tries he is not let in before.
    locked_until: Option<DateTime<Utc>>,
    last_sign_in_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    created_by: String,
}

impl From<Operator> for OperatorView {
    fn from(operator: Operator) -> Self {
        Self {
            id: operator.id,
            email: operator.email,
            name: operator.name,
            roles: operator.roles,
            enabled: operator.disabled_at.is_none(),
            totp: operator.totp_sealed.is_some(),
            must_change_password: operator.must_change_password,
            locked_until: operator.locked_until,
            last_sign_in_at: operator.last_sign_in_at,
            created_at: operator.created_at,
            created_by: operator.created_by,
        }
    }
}

/// An operator who was made or reset.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeOperatorView {
    operator: OperatorView,
    /// Hand it over in person: it is shown this once, and has to be changed at the first sign-in. Null where the same request was
    /// carried out before, and where the password stays.
    #[schema(example = "k7fp-x2mq-9tbn-wd4h-zs6c")]
    password: Option<String>,
}

impl From<Made> for MadeOperatorView {
    fn from(made: Made) -> Self {
        Self {
            operator: made.operator.into(),
            password: made.password.map(|password| password.as_str().to_owned()),
        }
    }
}

/// Why somebody is reset.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetOperator {
    /// For the audit trail: 1 to 500 characters.
    #[schema(example = "lost his phone")]
    reason: String,
}

async fn carry_out(
    app: &App,
    caller: &Principal,
    (id, what): (&str, Reset),
    request: Idempotent<ResetOperator>,
) -> Result<(HeaderMap, Json<MadeOperatorView>), Problem> {
    if !is_reason(&request.body.reason) {
        return Err(DomainError::BadReason.into());
    }
    let (by, mark) = (By::principal(caller), mark(caller, &request));
    let what = (path("id", id)?, what, Some(&mark));
    let made = reset(&app.pool, &*app.ids, &by, what, app.clock.now()).await?;
    let headers = if made.replayed { replayed() } else { HeaderMap::new() };
    Ok((headers, Json(made.into())))
}
