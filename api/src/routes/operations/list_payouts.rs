//! `GET /api/operations/payouts`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::payouts::{PayoutPage, answer_page, filter};

/// Lists everybody's payouts, newest first where not asked otherwise. Those in the state `requested` wait for approval.
#[utoipa::path(get, path = "/api/operations/payouts", tag = "operations",
    params(
        ("user_id" = Option<i64>, Query, description = "Only this user's"),
        ("state" = Option<String>, Query, description = "Only in this state, or one of several with commas between"),
        ("asset" = Option<String>, Query, description = "Only of this asset"),
        ("address" = Option<String>, Query, description = "Only to this address"),
        ("txid" = Option<String>, Query, description = "Only the one that this transaction was signed for"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only asked for then or later"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only asked for before"),
        ("min_amount" = Option<String>, Query, description = "Only of so much or more"),
        ("max_amount" = Option<String>, Query, description = "Only of so much or less"),
        ("order" = Option<String>, Query, description = "`newest` (where not given) or `oldest` first"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = PayoutPage)))]
pub(crate) async fn list_payouts(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<PayoutPage>, Problem> {
    let user = query.take("user_id")?;
    let filter = filter(&mut query, user)?;
    answer_page(&app, filter, query).await
}
