//! `POST /api/operations/payouts/{id}/reject`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use domain::operations::{Decision, decide_payout};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{answer, instruction};
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::payouts::{PayoutView, view};

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectPayout {
    /// In words: 1 to 500 characters, kept for good.
    #[schema(example = "address is not the customer's")]
    reason: String,
}

/// Refuses a payout of which nothing is signed yet; its money goes back to the user.
#[utoipa::path(post, path = "/api/operations/payouts/{id}/reject", tag = "operations", request_body = RejectPayout,
    params(
        ("id" = uuid::Uuid, Path, description = "The payout"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Rejected", body = PayoutView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn reject_payout(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<RejectPayout>,
) -> Result<(HeaderMap, Json<PayoutView>), Problem> {
    let instruction = instruction(&caller, &request, Some(&request.body.reason), false);
    let (what, now) = ((path("id", &id)?, Decision::Reject), app.clock.now());
    let (payout, mut done) = decide_payout(&app.pool, &*app.ids, &instruction, what, now).await?;
    app.wakes.push(std::mem::take(&mut done.wakes));
    Ok(answer(&done, view(&app, payout).await?))
}
