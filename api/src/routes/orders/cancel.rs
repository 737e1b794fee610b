//! `POST /api/orders/{id}/cancel`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::orders::cancel_by_user;

use super::OrderView;
use crate::App;
use crate::extract::path;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Cancels a pending order; the money is back at once.
///
/// Cancelling a cancelled order changes nothing. Once a transaction was signed for it, an order cannot be cancelled.
#[utoipa::path(post, path = "/api/orders/{id}/cancel", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "The order")),
    responses((status = 200, description = "Cancelled", body = OrderView)))]
pub(crate) async fn cancel_order(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
) -> Result<Json<OrderView>, Problem> {
    let id = path("id", &id)?;
    let order = cancel_by_user(&app.pool, &*app.ids, id, &caller.actor(), app.clock.now()).await?;
    Ok(Json(order.try_into()?))
}
