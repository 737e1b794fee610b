//! `DELETE /api/keys/{id}/signing`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::api_keys::drop_signing;
use domain::operators::By;

use super::{KeyView, view};
use crate::App;
use crate::extract::path;
use crate::middleware::Caller;
use crate::problem::Problem;

/// From now on the key's requests need not be signed, within seconds. Again it changes nothing.
#[utoipa::path(delete, path = "/api/keys/{id}/signing", tag = "keys",
    params(("id" = uuid::Uuid, Path, description = "The key")),
    responses((status = 200, description = "Not needed", body = KeyView)))]
pub(crate) async fn unsign_key(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
) -> Result<Json<KeyView>, Problem> {
    let key = drop_signing(&app.pool, &By::principal(&caller), path("id", &id)?).await?;
    Ok(Json(view(&app, key).await?))
}
