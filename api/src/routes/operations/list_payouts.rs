//! `GET /api/operations/payouts`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use db::models::PayoutFilter;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::payouts::{PayoutPage, answer_page};

/// Lists everybody's payouts, newest first. Those in the state `requested` wait for approval.
#[utoipa::path(get, path = "/api/operations/payouts", tag = "operations",
    params(
        ("user_id" = Option<i64>, Query, description = "Only this user's"),
        ("state" = Option<String>, Query, description = "Only in this state"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = PayoutPage)))]
pub(crate) async fn list_payouts(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<PayoutPage>, Problem> {
    let filter = PayoutFilter {
        user_id: query.take("user_id")?,
        state: query.take("state")?,
    };
    answer_page(&app, filter, query).await
}
