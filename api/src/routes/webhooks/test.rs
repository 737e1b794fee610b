//! `POST /api/webhooks/{id}/test`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::HeaderMap;
use axum::{Extension, Json};
use domain::webhooks::send_test;
use kernel::EventId;
use serde::Serialize;
use utoipa::ToSchema;

use super::Nothing;
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::{made, mark};

/// A test on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TestView {
    /// Its id in the list of deliveries, and in `webhook-id`.
    #[schema(value_type = String)]
    delivery_id: EventId,
}

/// Sends a `webhook.test` to an endpoint, whatever it asked for. What came of it is in its deliveries.
#[utoipa::path(post, path = "/api/webhooks/{id}/test", tag = "webhooks", request_body = Nothing,
    params(
        ("id" = uuid::Uuid, Path, description = "The endpoint"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "On its way", body = TestView),
        (status = 200, description = "Sent before", body = TestView,
            headers(("Idempotency-Replayed" = String, description = "true")))))]
pub(crate) async fn test_webhook(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<Nothing>,
) -> Result<(StatusCode, HeaderMap, Json<TestView>), Problem> {
    let Nothing {} = request.body;
    let (id, mark, now) = (path("id", &id)?, mark(&caller, &request), app.clock.now());
    let sent = send_test(&app.pool, &*app.ids, id, &mark, now).await?;
    app.wakes.push(sent.wake);
    let view = TestView {
        delivery_id: sent.event,
    };
    Ok(made(sent.replayed, None, view))
}
