//! `GET /api/webhooks/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::webhooks::find;

use super::WebhookView;
use crate::App;
use crate::extract::path;
use crate::problem::Problem;

/// Shows an endpoint.
#[utoipa::path(get, path = "/api/webhooks/{id}", tag = "webhooks",
    params(("id" = uuid::Uuid, Path, description = "The endpoint")),
    responses((status = 200, description = "The endpoint", body = WebhookView)))]
pub(crate) async fn get_webhook(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<WebhookView>, Problem> {
    Ok(Json(find(&app.pool, path("id", &id)?).await?.into()))
}
