//! `POST /api/auth/password`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use domain::operators::change_password as change;
use serde::Deserialize;
use utoipa::ToSchema;

use super::own;
use crate::App;
use crate::extract::JsonBody;
use crate::middleware::Caller;
use crate::problem::Problem;

/// One's password, and the next one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    current_password: String,
    /// 12 to 128 characters, and not easy to guess.
    new_password: String,
}

/// Changes one's password, and signs one out everywhere else.
#[utoipa::path(post, path = "/api/auth/password", tag = "auth", request_body = ChangePassword,
    responses((status = 204, description = "Changed")))]
pub(crate) async fn change_password(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    JsonBody(body): JsonBody<ChangePassword>,
) -> Result<StatusCode, Problem> {
    let passwords = (body.current_password.as_str(), body.new_password.as_str());
    change(&app.pool, own(&caller)?, passwords, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
