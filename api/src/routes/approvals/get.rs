//! `GET /api/approvals/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::operations::approval;

use super::ApprovalView;
use crate::App;
use crate::extract::path;
use crate::problem::Problem;

/// Shows what somebody asked for, and what came of it.
#[utoipa::path(get, path = "/api/approvals/{id}", tag = "approvals",
    params(("id" = uuid::Uuid, Path, description = "What was asked for")),
    responses((status = 200, description = "It", body = ApprovalView)))]
pub(crate) async fn get_approval(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<ApprovalView>, Problem> {
    let found = approval(&app.pool, path("id", &id)?).await?;
    Ok(Json(ApprovalView::at(found, app.clock.now())))
}
