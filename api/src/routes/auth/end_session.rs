//! `DELETE /api/auth/sessions/{id}`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::operators::end_session;

use super::own;
use crate::App;
use crate::extract::path;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Signs one out somewhere.
#[utoipa::path(delete, path = "/api/auth/sessions/{id}", tag = "auth",
    params(("id" = uuid::Uuid, Path, description = "The session")),
    responses((status = 204, description = "Over")))]
pub(crate) async fn end_own_session(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let (operator, _) = own(&caller)?;
    end_session(&app.pool, (operator, path("id", &id)?), app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
