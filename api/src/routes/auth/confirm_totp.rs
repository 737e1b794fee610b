//! `POST /api/auth/totp/confirm`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use domain::operators::confirm_second_factor;
use serde::Deserialize;
use utoipa::ToSchema;

use super::own;
use crate::App;
use crate::extract::JsonBody;
use crate::middleware::Caller;
use crate::problem::Problem;

/// A code of the second factor that was made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmTotp {
    #[schema(example = "287082")]
    totp_code: String,
}

/// Lets the second factor count from now on, and signs one out everywhere else.
#[utoipa::path(post, path = "/api/auth/totp/confirm", tag = "auth", request_body = ConfirmTotp,
    responses((status = 204, description = "Counts")))]
pub(crate) async fn confirm_totp(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    JsonBody(body): JsonBody<ConfirmTotp>,
) -> Result<StatusCode, Problem> {
    confirm_second_factor(&app.pool, app.door()?, own(&caller)?, &body.totp_code, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
