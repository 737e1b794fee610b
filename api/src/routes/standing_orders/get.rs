//! `GET /api/standing-orders/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::standing_orders::detail;
use kernel::{Asset, OrderId};
use serde::Serialize;
use utoipa::ToSchema;

use super::StandingView;
use crate::App;
use crate::extract::path;
use crate::problem::Problem;
use crate::routes::{Money, trx};

/// A standing order with what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingDetailView {
    #[serde(flatten)]
    standing: StandingView,
    /// What its orders cost so far, less what was given back.
    spent: Money,
    /// How many orders were placed.
    orders_placed: i64,
    /// The newest of them, at most 100, newest first.
    #[schema(value_type = Vec<String>)]
    orders: Vec<OrderId>,
}

/// Shows a standing order, what it has cost and the orders that were placed for it.
#[utoipa::path(get, path = "/api/standing-orders/{id}", tag = "standing orders",
    params(("id" = uuid::Uuid, Path, description = "The standing order")),
    responses((status = 200, description = "The standing order", body = StandingDetailView)))]
pub(crate) async fn get_standing_order(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<StandingDetailView>, Problem> {
    let detail = detail(&app.pool, path("id", &id)?, app.clock.now()).await?;
    Ok(Json(StandingDetailView {
        standing: detail.standing.try_into()?,
        spent: Money {
            amount: trx(detail.figures.spent_sun)?,
            asset: Asset::Trx,
        },
        orders_placed: detail.figures.orders,
        orders: detail.orders,
    }))
}
