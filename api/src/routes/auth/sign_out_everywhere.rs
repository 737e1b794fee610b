//! `POST /api/auth/sign-out-everywhere`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use domain::operators::end_sessions;

use super::own;
use crate::App;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Ends all of one's sessions, the one that asks with them.
#[utoipa::path(post, path = "/api/auth/sign-out-everywhere", tag = "auth",
    responses((status = 204, description = "Over")))]
pub(crate) async fn sign_out_everywhere(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
) -> Result<StatusCode, Problem> {
    end_sessions(&app.pool, own(&caller)?.0, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
