//! `POST /api/operators/{id}/reset-password`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use domain::operators::Reset;

use super::{MadeOperatorView, ResetOperator, carry_out};
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Gives an operator a new password, which he has to change, and signs him out everywhere.
#[utoipa::path(post, path = "/api/operators/{id}/reset-password", tag = "operators", request_body = ResetOperator,
    params(
        ("id" = uuid::Uuid, Path, description = "The operator"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Reset", body = MadeOperatorView)))]
pub(crate) async fn reset_operator_password(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<ResetOperator>,
) -> Result<(HeaderMap, Json<MadeOperatorView>), Problem> {
    carry_out(&app, &caller, (&id, Reset::Password), request).await
}
