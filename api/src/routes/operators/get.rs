//! `GET /api/operators/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::operators::find;

use super::OperatorView;
use crate::App;
use crate::extract::path;
use crate::problem::Problem;

/// Answers an operator.
#[utoipa::path(get, path = "/api/operators/{id}", tag = "operators",
    params(("id" = uuid::Uuid, Path, description = "The operator")),
    responses((status = 200, description = "The operator", body = OperatorView)))]
pub(crate) async fn get_operator(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<OperatorView>, Problem> {
    Ok(Json(find(&app.pool, path("id", &id)?).await?.into()))
}
