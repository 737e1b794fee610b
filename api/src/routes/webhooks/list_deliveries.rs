//! `GET /api/webhooks/{id}/deliveries`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use db::models::{DeliveryFilter, DeliveryState, EventType, WebhookAttempt, WebhookDelivery};
use domain::webhooks::deliveries_page;
use kernel::EventId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::{QueryParams, path};
use crate::problem::Problem;
use crate::routes::cut;

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryPage {
    items: Vec<DeliveryView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<EventId>,
}

/// One event for one endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// The event's id, sent as `webhook-id` every time.
    id: Uuid,
    /// Such as `order.completed`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    event_type: EventType,
    /// `pending`, `delivered`, or `failed`: given up.
    #[schema(value_type = String)]
    state: DeliveryState,
    created_at: DateTime<Utc>,
    /// When it is sent next; null once it has ended.
    next_attempt_at: Option<DateTime<Utc>>,
    delivered_at: Option<DateTime<Utc>>,
    /// Each send, oldest first.
    attempts: Vec<AttemptView>,
}

/// One send.
#[derive(Debug, Serialize, ToSchema)]
struct AttemptView {
    at: DateTime<Utc>,
    /// The HTTP status that was answered, if any was.
    status: Option<i32>,
    /// The first kilobyte of the answer.
    answer: Option<String>,
    /// Why there was no answer.
    error: Option<String>,
    duration_ms: i32,
}

impl From<(WebhookDelivery, Vec<WebhookAttempt>)> for DeliveryView {
    fn from((message, attempts): (WebhookDelivery, Vec<WebhookAttempt>)) -> Self {
        let pending = message.state == DeliveryState::Pending;
        Self {
            id: message.event_id,
            event_type: message.event_type,
            state: message.state,
            created_at: message.created_at,
            next_attempt_at: pending.then_some(message.next_attempt_at),
            delivered_at: message.delivered_at,
            attempts: attempts.into_iter().map(AttemptView::from).collect(),
        }
    }
}

impl From<WebhookAttempt> for AttemptView {
    fn from(attempt: WebhookAttempt) -> Self {
        Self {
            at: attempt.at,
            status: attempt.status,
            answer: attempt.answer,
            error: attempt.error,
            duration_ms: attempt.duration_ms,
        }
    }
}

/// Lists what an endpoint was told and is to be told, newest first where not asked otherwise, with each send.
#[utoipa::path(get, path = "/api/webhooks/{id}/deliveries", tag = "webhooks",
    params(
        ("id" = Uuid, Path, description = "The endpoint"),
        ("state" = Option<String>, Query, description = "Only `pending`, `delivered` or `failed`, or several with commas between"),
        ("type" = Option<String>, Query, description = "Only this event, such as `order.completed`, or several with commas between"),
        ("event_id" = Option<Uuid>, Query, description = "Only of the event with this id"),
        ("since" = Option<DateTime<Utc>>, Query, description = "Only made then or later"),
        ("until" = Option<DateTime<Utc>>, Query, description = "Only made before"),
        ("order" = Option<String>, Query, description = "`newest` (where not given) or `oldest` first"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = DeliveryPage)))]
pub(crate) async fn list_webhook_deliveries(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    mut query: QueryParams,
) -> Result<Json<DeliveryPage>, Problem> {
    let filter = DeliveryFilter {
        states: query.take_words("state", DeliveryState::ALL, DeliveryState::word)?,
        event_types: query.take_words("type", EventType::ALL, EventType::word)?,
        event: query.take("event_id")?,
        created: query.take_period()?,
        oldest_first: query.take_oldest_first()?,
    };
    let place: Option<EventId> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut messages = deliveries_page(&app.pool, path("id", &id)?, &filter, place, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut messages, limit, |(message, _)| EventId(message.event_id));
    let items = messages.into_iter().map(DeliveryView::from).collect();
    Ok(Json(DeliveryPage { items, next_cursor }))
}
