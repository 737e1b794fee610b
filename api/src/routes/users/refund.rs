//! `POST /api/users/{user_id}/refund`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use ledger::movements::Direction;

use super::adjust::{AdjustBalance, AdjustedView, adjust};
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Gives back to a user by hand. Undelivered orders are refunded without this.
///
/// Sent again with the same Idempotency-Key and body it moves nothing.
#[utoipa::path(post, path = "/api/users/{user_id}/refund", tag = "users", request_body = AdjustBalance,
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Booked", body = AdjustedView)))]
pub(crate) async fn refund_user_balance(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(user): Path<String>,
    request: Idempotent<AdjustBalance>,
) -> Result<Json<AdjustedView>, Problem> {
    adjust(&app, &caller, &user, ("refund", Direction::Credit), request).await
}
