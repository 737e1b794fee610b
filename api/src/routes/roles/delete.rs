//! `DELETE /api/roles/{name}`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::operators::{By, remove_role};

use crate::App;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Forgets a role that nobody has.
#[utoipa::path(delete, path = "/api/roles/{name}", tag = "operators",
    params(("name" = String, Path, description = "The role")),
    responses((status = 204, description = "Forgotten")))]
pub(crate) async fn delete_role(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    remove_role(&app.pool, &By::principal(&caller), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
