//! `GET /api/exchanges/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::exchanges::find;

use super::ExchangeView;
use crate::App;
use crate::extract::path;
use crate::problem::Problem;

/// Shows an exchange.
#[utoipa::path(get, path = "/api/exchanges/{id}", tag = "exchanges",
    params(("id" = uuid::Uuid, Path, description = "The exchange")),
    responses((status = 200, description = "The exchange", body = ExchangeView)))]
pub(crate) async fn get_exchange(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<ExchangeView>, Problem> {
    let found = find(&app.pool, path("id", &id)?).await?;
    Ok(Json(found.try_into()?))
}
