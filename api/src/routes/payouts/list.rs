//! `GET /api/users/{user_id}/payouts`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use db::models::PayoutFilter;

use super::{PayoutPage, answer_page};
use crate::App;
use crate::extract::{QueryParams, user_id};
use crate::problem::Problem;

/// Lists a user's payouts, newest first.
#[utoipa::path(get, path = "/api/users/{user_id}/payouts", tag = "payouts",
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("state" = Option<String>, Query, description = "Only in this state"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = PayoutPage)))]
pub(crate) async fn list_user_payouts(
    State(app): State<Arc<App>>,
    Path(user): Path<String>,
    mut query: QueryParams,
) -> Result<Json<PayoutPage>, Problem> {
    let filter = PayoutFilter {
        user_id: Some(user_id(&user)?.0),
        state: query.take("state")?,
    };
    answer_page(&app, filter, query).await
}
