//! `POST /api/operators/{id}/sign-out`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::operators::{By, sign_out};

use crate::App;
use crate::extract::path;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Signs another operator out everywhere.
#[utoipa::path(post, path = "/api/operators/{id}/sign-out", tag = "operators",
    params(("id" = uuid::Uuid, Path, description = "The operator")),
    responses((status = 204, description = "Signed out")))]
pub(crate) async fn sign_operator_out(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    sign_out(&app.pool, &By::principal(&caller), path("id", &id)?, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
