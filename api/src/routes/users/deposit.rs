//! `POST /api/users/{user_id}/deposit`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use ledger::movements::Direction;

use super::adjust::{AdjustBalance, AdjustedView, adjust};
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Credits a user who paid outside of Switchyard.
///
/// Sent again with the same Idempotency-Key and body it moves nothing.
#[utoipa::path(post, path = "/api/users/{user_id}/deposit", tag = "users", request_body = AdjustBalance,
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Booked", body = AdjustedView)))]
pub(crate) async fn deposit_user_balance(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(user): Path<String>,
    request: Idempotent<AdjustBalance>,
) -> Result<Json<AdjustedView>, Problem> {
    adjust(&app, &caller, &user, ("deposit", Direction::Credit), request).await
}
