//! `GET /api/orders`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use db::models::OrderFilter;
use domain::orders::page;
use kernel::OrderId;
use serde::Serialize;
use utoipa::ToSchema;

use super::OrderView;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of orders, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderPage {
    items: Vec<OrderView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<OrderId>,
}

/// Lists orders, newest first.
#[utoipa::path(get, path = "/api/orders", tag = "orders",
    params(
        ("user_id" = Option<i64>, Query, description = "Only this user's"),
        ("state" = Option<String>, Query, description = "Only in this state"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = OrderPage)))]
pub(crate) async fn list_orders(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<OrderPage>, Problem> {
    let filter = OrderFilter {
        user_id: query.take("user_id")?,
        state: query.take("state")?,
    };
    let before: Option<OrderId> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut orders = page(&app.pool, filter, before, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut orders, limit, |order| OrderId(order.id));
    let items = orders.into_iter().map(OrderView::try_from).collect::<Result<_, _>>()?;
    Ok(Json(OrderPage { items, next_cursor }))
}
