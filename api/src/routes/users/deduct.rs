//! `POST /api/users/{user_id}/deduct`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use ledger::movements::Direction;

use super::adjust::{AdjustAnswer, AdjustBalance, AdjustedView, Answered, adjusted};
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::approvals::WaitingView;

/// Takes from a user's balance; never below zero.
///
/// Sent again with the same Idempotency-Key and body it moves nothing. Above `approvals.adjustment_above_*` it waits, with 202, until
/// another operator agrees.
#[utoipa::path(post, path = "/api/users/{user_id}/deduct", tag = "users", request_body = AdjustBalance,
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 200, description = "Booked", body = AdjustedView),
        (status = 202, description = "Above `approvals.adjustment_above_*`: another operator has to agree", body = WaitingView)))]
pub(crate) async fn deduct_user_balance(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(user): Path<String>,
    request: Idempotent<AdjustBalance>,
) -> Result<Answered<Json<AdjustAnswer>>, Problem> {
    adjusted(&app, &caller, &user, ("deduct", Direction::Debit), request).await
}
