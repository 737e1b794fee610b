//! `POST /api/auth/refresh`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::operators::refresh;
use serde::Deserialize;
use utoipa::ToSchema;

use super::SignedInView;
use crate::App;
use crate::extract::JsonBody;
use crate::problem::Problem;

/// A session that is to go on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshSession {
    refresh_token: String,
}

/// Gets the next access token of a session. The refresh token is good once: the answer holds the next one, and the same request
/// within a minute the same answer. Used again later it ends the session, since somebody else may have it.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "auth", request_body = RefreshSession,
    responses((status = 200, description = "Goes on", body = SignedInView)))]
pub(crate) async fn refresh_session(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<RefreshSession>,
) -> Result<Json<SignedInView>, Problem> {
    let signed_in = refresh(&app.pool, app.door()?, &body.refresh_token, app.clock.now()).await?;
    Ok(Json(signed_in.into()))
}
