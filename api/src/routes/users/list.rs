//! `GET /api/users`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::users::page;
use serde::Serialize;
use utoipa::ToSchema;

use super::get::UserView;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of users, the smallest id first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserPage {
    items: Vec<UserView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<i64>,
}

/// Lists users: everybody who was seen.
#[utoipa::path(get, path = "/api/users", tag = "users",
    params(
        ("blocked" = Option<bool>, Query, description = "Only those who are blocked, or only those who are not"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<i64>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = UserPage)))]
pub(crate) async fn list_users(State(app): State<Arc<App>>, mut query: QueryParams) -> Result<Json<UserPage>, Problem> {
    let (blocked, after) = (query.take("blocked")?, query.take("cursor")?);
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut users = page(&app.pool, blocked, after, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut users, limit, |user| user.id);
    let items = users.into_iter().map(UserView::from).collect();
    Ok(Json(UserPage { items, next_cursor }))
}
