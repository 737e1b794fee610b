//! `GET /api/orders`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use db::models::{OrderFilter, OrderState};
use domain::orders::page;
use kernel::OrderId;
use serde::Serialize;
use utoipa::ToSchema;

use super::OrderView;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderPage {
    items: Vec<OrderView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<OrderId>,
}

/// Lists orders, newest first where not asked otherwise.
#[utoipa::path(get, path = "/api/orders", tag = "orders",
    params(
        ("user_id" = Option<i64>, Query, description = "Only this user's"),
        ("state" = Option<String>, Query, description = "Only in this state, or one of several with commas between"),
        ("receiver" = Option<String>, Query, description = "Only for this address"),
        ("reason" = Option<String>, Query, description = "Only with this reason, such as `no_wallet_fits`"),
        ("txid" = Option<String>, Query, description = "Only the one whose energy this transaction delegated or took back"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only accepted then or later"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only accepted before"),
        ("min_energy" = Option<i64>, Query, description = "Only of so much energy or more"),
        ("max_energy" = Option<i64>, Query, description = "Only of so much energy or less"),
        ("min_price" = Option<String>, Query, description = "Only of this price or more, TRX"),
        ("max_price" = Option<String>, Query, description = "Only of this price or less, TRX"),
        ("order" = Option<String>, Query, description = "`newest` (where not given) or `oldest` first"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = OrderPage)))]
pub(crate) async fn list_orders(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<OrderPage>, Problem> {
    let filter = filter(&mut query)?;
    let place: Option<OrderId> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut orders = page(&app.pool, &filter, place, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut orders, limit, |order| OrderId(order.id));
    let items = orders.into_iter().map(OrderView::try_from).collect::<Result<_, _>>()?;
    Ok(Json(OrderPage { items, next_cursor }))
}

/// Takes the filters of a list of orders out of the query.
pub(super) fn filter(query: &mut QueryParams) -> Result<OrderFilter, Problem> {
    Ok(OrderFilter {
        user_id: query.take("user_id")?,
        states: query.take_words("state", OrderState::ALL, OrderState::word)?,
        receiver: query.take("receiver")?,
        reason: query.take("reason")?,
        txid: query.take_txid()?,
        created: query.take_period()?,
        energy: query.take_span("min_energy", "max_energy")?,
        price_sun: query.take_amounts("min_price", "max_price")?,
        oldest_first: query.take_oldest_first()?,
    })
}
