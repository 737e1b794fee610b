//! `POST /api/operations/payouts/{id}/approve`.

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
pub(crate) struct ApprovePayout {
    /// In words: 1 to 500 characters, kept for good.
    #[schema(example = "known customer, asked by phone")]
    reason: String,
}

/// Agrees to a payout that waits for it. Not with the key that asked for it.
#[utoipa::path(post, path = "/api/operations/payouts/{id}/approve", tag = "operations", request_body = ApprovePayout,
    params(
        ("id" = uuid::Uuid, Path, description = "The payout"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Approved", body = PayoutView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn approve_payout(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<ApprovePayout>,
) -> Result<(HeaderMap, Json<PayoutView>), Problem> {
    let instruction = instruction(&caller, &request, Some(&request.body.reason), false);
    let (what, now) = ((path("id", &id)?, Decision::Approve), app.clock.now());
    let (payout, mut done) = decide_payout(&app.pool, &*app.ids, &instruction, what, now).await?;
    app.wakes.push(std::mem::take(&mut done.wakes));
    Ok(answer(&done, view(&app, payout).await?))
}
