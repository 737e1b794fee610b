//! `POST /api/operations/stuck/redrive`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use domain::operations::{self, StuckFilter, StuckKind};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{DoneView, answer, instruction, nothing_named};
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Which stuck objects: one by its `object_id`, or with `all` everything that fits what is given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChooseStuck {
    /// Everything that fits, not just one object.
    #[serde(default)]
    all: bool,
    /// `order`, `transaction`, `delegation`, `wallet` or `network`.
    #[schema(value_type = Option<String>, example = "delegation")]
    kind: Option<StuckKind>,
    object_id: Option<String>,
    /// As listed.
    state: Option<String>,
    network: Option<String>,
    /// Why: 1 to 500 characters, kept for good.
    reason: Option<String>,
    /// Only count what would be re-driven.
    #[serde(default)]
    dry_run: bool,
}

/// Asks for the jobs that move stuck objects, now.
///
/// Left alone are objects that no job can move, and those whose job is due or running already: then the question is
/// whether workers serve its queue.
#[utoipa::path(post, path = "/api/operations/stuck/redrive", tag = "operations", request_body = ChooseStuck,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Done, or counted", body = DoneView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn redrive_stuck(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<ChooseStuck>,
) -> Result<(HeaderMap, Json<DoneView>), Problem> {
    let body = &request.body;
    if !body.all && body.object_id.is_none() {
        return Err(nothing_named("give the object_id of one object, or all: true"));
    }
    let filter = StuckFilter {
        kind: body.kind,
        object_id: body.object_id.clone(),
        state: body.state.clone(),
        network: body.network.clone(),
    };
    let instruction = instruction(&caller, &request, body.reason.as_ref(), body.dry_run);
    let mut done = operations::redrive_stuck(&app.pool, &*app.ids, &instruction, &filter, app.clock.now()).await?;
    app.wakes.push(std::mem::take(&mut done.wakes));
    Ok(answer(&done, DoneView::from(&done)))
}
