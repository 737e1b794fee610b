//! `GET /api/keys/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::api_keys::find;

use super::{KeyView, view};
use crate::App;
use crate::extract::path;
use crate::problem::Problem;

/// Answers a key, without its secret.
#[utoipa::path(get, path = "/api/keys/{id}", tag = "keys",
    params(("id" = uuid::Uuid, Path, description = "The key")),
    responses((status = 200, description = "The key", body = KeyView)))]
pub(crate) async fn get_key(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<KeyView>, Problem> {
    let key = find(&app.pool, path("id", &id)?).await?;
    Ok(Json(view(&app, key).await?))
}
