//! `POST /api/approvals/{id}/approve`.

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

/// Agrees to what somebody else asked for, and carries it out at once.
///
/// It takes `approvals:decide` and, by its kind, `balances:approve`, `wallets:approve`, `pricing:approve` or
/// `settings:approve`. What stands against it by now is answered as a problem, and it stays open.
#[utoipa::path(post, path = "/api/approvals/{id}/approve", tag = "approvals", request_body = DecideApproval,
    params(
        ("id" = uuid::Uuid, Path, description = "What was asked for"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Carried out", body = ApprovalView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn approve_request(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<DecideApproval>,
) -> Result<(HeaderMap, Json<ApprovalView>), Problem> {
    decide(&app, &caller, (&id, Verdict::Approve), &request).await
}
