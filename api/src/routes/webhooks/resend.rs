//! `POST /api/webhooks/{id}/resend`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::HeaderMap;
use axum::{Extension, Json};
use db::models::{DeliveryFilter, DeliveryState, EventType, Span};
use domain::operations::resend_messages;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::App;
use crate::extract::{Idempotent, Moment, path};
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::operations::{DoneView, answer, instruction};

/// Which messages: everything that fits what is given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResendDeliveries {
    /// `failed` where not given, or `delivered`.
    #[schema(value_type = Option<String>, example = "failed")]
    state: Option<DeliveryState>,
    /// Such as `order.completed`.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>)]
    event_type: Option<EventType>,
    /// What happened at or after this time.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    since: Option<Moment>,
    /// Why: 1 to 500 characters, kept for good.
    reason: Option<String>,
    /// Only count what fits.
    #[serde(default)]
    dry_run: bool,
}

/// Sends messages again that were given up, or delivered, the oldest first. They keep their ids.
#[utoipa::path(post, path = "/api/webhooks/{id}/resend", tag = "webhooks", request_body = ResendDeliveries,
    params(
        ("id" = uuid::Uuid, Path, description = "The endpoint"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "They are due", body = DoneView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn resend_webhook_deliveries(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<ResendDeliveries>,
) -> Result<(HeaderMap, Json<DoneView>), Problem> {
    let body = &request.body;
    let filter = DeliveryFilter {
        states: body.state.into_iter().collect(),
        event_types: body.event_type.into_iter().collect(),
        created: Span {
            from: body.since.map(|since| since.0),
            to: None,
        },
        ..DeliveryFilter::default()
    };
    let instruction = instruction(&caller, &request, body.reason.as_ref(), body.dry_run);
    let (id, now) = (path("id", &id)?, app.clock.now());
    let done = resend_messages(&app.pool, &*app.ids, &instruction, (id, &filter), now).await?;
    app.wakes.push(done.wakes.clone());
    Ok(answer(&done, DoneView::from(&done)))
}
