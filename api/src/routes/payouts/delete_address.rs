//! `DELETE /api/users/{user_id}/payout-addresses/{address}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::payouts::forget_address;

use crate::App;
use crate::extract::{path, user_id};
use crate::problem::Problem;

/// Takes an address off a user's list. Payouts to it that were taken before go on.
#[utoipa::path(delete, path = "/api/users/{user_id}/payout-addresses/{address}", tag = "payouts",
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("address" = String, Path, description = "The address, base58")),
    responses((status = 204, description = "Taken off")))]
pub(crate) async fn delete_payout_address(
    State(app): State<Arc<App>>,
    Path((user, address)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    forget_address(&app.pool, user_id(&user)?, path("address", &address)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
