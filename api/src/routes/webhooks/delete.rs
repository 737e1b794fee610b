//! `DELETE /api/webhooks/{id}`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::webhooks::remove;

use crate::App;
use crate::extract::path;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Removes an endpoint and its secrets. It is told nothing more, not even what waits.
#[utoipa::path(delete, path = "/api/webhooks/{id}", tag = "webhooks",
    params(("id" = uuid::Uuid, Path, description = "The endpoint")),
    responses((status = 204, description = "Removed")))]
pub(crate) async fn delete_webhook(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    remove(&app.pool, path("id", &id)?, &caller.actor(), app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
