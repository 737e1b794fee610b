//! `POST /api/webhooks/{id}/deliveries/{delivery_id}/resend`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::HeaderMap;
use axum::{Extension, Json};
use domain::operations::resend_message;

use super::Nothing;
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::operations::{DoneView, answer, instruction};

/// Sends one message again, now and under the same id, whatever became of it.
#[utoipa::path(post, path = "/api/webhooks/{id}/deliveries/{delivery_id}/resend", tag = "webhooks",
    request_body = Nothing,
    params(
        ("id" = uuid::Uuid, Path, description = "The endpoint"),
        ("delivery_id" = uuid::Uuid, Path, description = "The message"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "It is due", body = DoneView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn resend_webhook_delivery(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path((id, delivery)): Path<(String, String)>,
    request: Idempotent<Nothing>,
) -> Result<(HeaderMap, Json<DoneView>), Problem> {
    let Nothing {} = request.body;
    let instruction = instruction(&caller, &request, None, false);
    let which = (path("id", &id)?, path("delivery_id", &delivery)?);
    let done = resend_message(&app.pool, &*app.ids, &instruction, which, app.clock.now()).await?;
    app.wakes.push(done.wakes.clone());
    Ok(answer(&done, DoneView::from(&done)))
}
