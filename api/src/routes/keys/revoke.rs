//! `POST /api/keys/{id}/revoke`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::api_keys::revoke;

use crate::App;
use crate::extract::path;
use crate::problem::Problem;

/// Ends a key. It stops working within seconds, and cannot be brought back. The webhooks that it registered are disabled.
#[utoipa::path(post, path = "/api/keys/{id}/revoke", tag = "keys",
    params(("id" = uuid::Uuid, Path, description = "The key")),
    responses((status = 204, description = "Over")))]
pub(crate) async fn revoke_key(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    revoke(&app.pool, path("id", &id)?, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
