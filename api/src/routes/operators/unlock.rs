//! `POST /api/operators/{id}/unlock`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::operators::{By, unlock};

use crate::App;
use crate::extract::path;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Lets an operator try again at once who was wrong too often.
#[utoipa::path(post, path = "/api/operators/{id}/unlock", tag = "operators",
    params(("id" = uuid::Uuid, Path, description = "The operator")),
    responses((status = 204, description = "May try again")))]
pub(crate) async fn unlock_operator(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    unlock(&app.pool, &By::principal(&caller), path("id", &id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
