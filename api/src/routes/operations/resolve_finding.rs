//! `POST /api/operations/findings/{id}/resolve`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use domain::operations;
use serde::Deserialize;
use utoipa::ToSchema;

use super::list_findings::FindingView;
use super::{answer, instruction};
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::Problem;

/// Why a finding is closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveFinding {
    /// In words: 1 to 500 characters, kept for good.
    #[schema(example = "undone by hand, see the wallet's page")]
    reason: String,
}

/// Closes a finding by hand.
///
/// Most close by themselves when their condition goes away. If it holds on, the next look opens another.
#[utoipa::path(post, path = "/api/operations/findings/{id}/resolve", tag = "operations", request_body = ResolveFinding,
    params(
        ("id" = uuid::Uuid, Path, description = "The finding"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Resolved", body = FindingView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn resolve_finding(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<ResolveFinding>,
) -> Result<(HeaderMap, Json<FindingView>), Problem> {
    let instruction = instruction(&caller, &request, Some(&request.body.reason), false);
    let (id, now) = (path("id", &id)?, app.clock.now());
    let (finding, done) = operations::resolve_finding(&app.pool, &*app.ids, &instruction, id, now).await?;
    Ok(answer(&done, finding.into()))
}
