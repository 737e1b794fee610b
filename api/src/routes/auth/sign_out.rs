//! `POST /api/auth/sign-out`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use domain::operators::end_session;

use super::own;
use crate::App;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Ends the session that asks. Its access token is good for some seconds yet, at most.
#[utoipa::path(post, path = "/api/auth/sign-out", tag = "auth", responses((status = 204, description = "Over")))]
pub(crate) async fn sign_out(State(app): State<Arc<App>>, Extension(caller): Caller) -> Result<StatusCode, Problem> {
    end_session(&app.pool, own(&caller)?, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
