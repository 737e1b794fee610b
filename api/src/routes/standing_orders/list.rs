//! `GET /api/standing-orders`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use db::models::StandingState;
use domain::standing_orders::page;
use kernel::{StandingOrderId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::StandingView;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of standing orders, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingPage {
    items: Vec<StandingView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<StandingOrderId>,
}

/// Lists standing orders, newest first.
#[utoipa::path(get, path = "/api/standing-orders", tag = "standing orders",
    params(
        ("user_id" = Option<i64>, Query, description = "Only this user's"),
        ("state" = Option<String>, Query, description = "Only in this state, or one of several with commas between"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = StandingPage)))]
pub(crate) async fn list_standing_orders(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<StandingPage>, Problem> {
    let user: Option<i64> = query.take("user_id")?;
    let states = query.take_words("state", StandingState::ALL, StandingState::word)?;
    let filter = (user.map(UserId), states.as_slice());
    let before: Option<StandingOrderId> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut all = page(&app.pool, filter, before, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut all, limit, |standing| StandingOrderId(standing.id));
    let items = all.into_iter().map(StandingView::try_from).collect::<Result<_, _>>()?;
    Ok(Json(StandingPage { items, next_cursor }))
}
