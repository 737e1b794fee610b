//! `POST /api/operations/jobs/redrive`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use domain::operations;

use super::{ChooseJobs, DoneView, answer, instruction};
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Gives dead jobs a fresh set of runs, or has jobs that are for later run now.
///
/// Due and running jobs are on their way and left alone.
#[utoipa::path(post, path = "/api/operations/jobs/redrive", tag = "operations", request_body = ChooseJobs,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Done, or counted", body = DoneView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn redrive_jobs(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<ChooseJobs>,
) -> Result<(HeaderMap, Json<DoneView>), Problem> {
    let (filter, body) = (request.body.filter()?, &request.body);
    let instruction = instruction(&caller, &request, body.reason.as_ref(), body.dry_run);
    let done = operations::redrive_jobs(&app.pool, &*app.ids, &instruction, &filter, app.clock.now()).await?;
    Ok(answer(&done, DoneView::from(&done)))
}
