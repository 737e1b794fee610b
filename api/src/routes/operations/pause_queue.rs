//! `PUT /api/operations/queues/{queue}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use domain::operations::pause_queue as pause;
use jobs::Queue;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::extract::JsonBody;
use crate::middleware::Caller;
use crate::problem::{Code, Problem};

/// Whether a queue is to be paused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PauseQueue {
    paused: bool,
    /// Why: 1 to 500 characters.
    #[schema(example = "the node answers with another chain")]
    reason: String,
}

/// A queue that was paused, or goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PausedQueueView {
    #[schema(value_type = String, example = "payouts")]
    queue: Queue,
    paused: bool,
    reason: String,
    /// `operator:` and an id.
    actor: String,
    updated_at: DateTime<Utc>,
}

/// Pauses a queue, or lets it go on, within seconds in every worker.
///
/// None of its jobs begins meanwhile; those that run go on, and what is asked for waits in PostgreSQL. Nothing is lost, but deadlines pass:
/// orders past theirs are given back once it goes on.
#[utoipa::path(put, path = "/api/operations/queues/{queue}", tag = "operations", request_body = PauseQueue,
    params(("queue" = String, Path, description = "Such as `payouts`")),
    responses((status = 200, description = "Done", body = PausedQueueView)))]
pub(crate) async fn pause_queue(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(queue): Path<String>,
    JsonBody(body): JsonBody<PauseQueue>,
) -> Result<Json<PausedQueueView>, Problem> {
    let queue: Queue = queue.parse().map_err(|_| Problem::new(Code::NotFound))?;
    let how = (body.paused, body.reason.as_str());
    let thrown = pause(&app.pool, queue, how, &caller.actor(), app.clock.now()).await?;
    Ok(Json(PausedQueueView {
        queue,
        paused: thrown.enabled,
        reason: thrown.reason,
        actor: thrown.actor,
        updated_at: thrown.updated_at,
    }))
}
