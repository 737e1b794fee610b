//! `POST /api/approvals/{id}/reject`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use domain::operations::Verdict;

use super::{ApprovalView, DecideApproval, decide};
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Refuses what somebody asked for. Whoever asked may do so too, as taking it back.
#[utoipa::path(post, path = "/api/approvals/{id}/reject", tag = "approvals", request_body = DecideApproval,
    params(
        ("id" = uuid::Uuid, Path, description = "What was asked for"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Refused", body = ApprovalView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn reject_request(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<DecideApproval>,
) -> Result<(HeaderMap, Json<ApprovalView>), Problem> {
    decide(&app, &caller, (&id, Verdict::Reject), &request).await
}
