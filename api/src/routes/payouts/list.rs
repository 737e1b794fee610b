//! `GET /api/users/{user_id}/payouts`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::{PayoutPage, answer_page, filter};
use crate::App;
use crate::extract::{QueryParams, user_id};
use crate::problem::Problem;

/// Lists a user's payouts, newest first where not asked otherwise.
#[utoipa::path(get, path = "/api/users/{user_id}/payouts", tag = "payouts",
    params(
        ("user_id" = i64, Path, description = "The user"),
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
pub(crate) async fn list_user_payouts(
    State(app): State<Arc<App>>,
    Path(user): Path<String>,
    mut query: QueryParams,
) -> Result<Json<PayoutPage>, Problem> {
    let filter = filter(&mut query, Some(user_id(&user)?.0))?;
    answer_page(&app, filter, query).await
}
