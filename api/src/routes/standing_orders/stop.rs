//! `POST /api/standing-orders/{id}/stop`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::standing_orders::stop;

use super::StandingView;
use crate::App;
use crate::extract::path;
use crate::problem::Problem;

/// Stops a standing order. Orders that were placed go on; stopping one that has ended changes nothing.
#[utoipa::path(post, path = "/api/standing-orders/{id}/stop", tag = "standing orders",
    params(("id" = uuid::Uuid, Path, description = "The standing order")),
    responses((status = 200, description = "Stopped", body = StandingView)))]
pub(crate) async fn stop_standing_order(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<StandingView>, Problem> {
    let standing = stop(&app.pool, &*app.ids, path("id", &id)?, app.clock.now()).await?;
    Ok(Json(standing.try_into()?))
}
