//! `DELETE /api/wallets/users/{user_id}/{address}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::users::forget_wallet;

use crate::App;
use crate::extract::{path, user_id};
use crate::problem::Problem;

/// Forgets an address of a user. Rentals for it go on.
#[utoipa::path(delete, path = "/api/wallets/users/{user_id}/{address}", tag = "user wallets",
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("address" = String, Path, description = "The address, base58")),
    responses((status = 204, description = "Forgotten")))]
pub(crate) async fn delete_user_wallet(
    State(app): State<Arc<App>>,
    Path((user, address)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    forget_wallet(&app.pool, user_id(&user)?, path("address", &address)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
