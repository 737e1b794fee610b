//! `POST /api/webhooks`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::HeaderMap;
use axum::{Extension, Json};
use db::models::EventType;
use domain::webhooks::{FreshSecret, Register, register};
use serde::Deserialize;
use utoipa::ToSchema;

use super::WebhookWithSecretView;
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::{made, mark};

/// An endpoint to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateWebhook {
    /// Where messages go: https, and not an address inside a private network.
    #[schema(example = "https://shop.example/hooks/switchyard")]
    url: String,
    /// What you call it, at most 200 characters.
    description: Option<String>,
    /// What it is told; all where not given or empty.
    #[schema(value_type = Vec<String>, example = json!(["order.completed", "order.refunded"]))]
    #[serde(default)]
    event_types: Vec<EventType>,
}

/// Registers an endpoint that is told of events from now on. The answer shows the secret that messages are signed with.
///
/// Whoever registers it has to see what it is told of himself: orders take `orders:read`, deposits `deposits:read` and so on.
/// Sent again with the same Idempotency-Key and body it answers the same endpoint, with 200 and without the secret.
#[utoipa::path(post, path = "/api/webhooks", tag = "webhooks", request_body = CreateWebhook,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "Registered", body = WebhookWithSecretView,
            headers(("Location" = String, description = "The endpoint"))),
        (status = 200, description = "Registered before", body = WebhookWithSecretView,
            headers(("Idempotency-Replayed" = String, description = "true")))))]
pub(crate) async fn create_webhook(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<CreateWebhook>,
) -> Result<(StatusCode, HeaderMap, Json<WebhookWithSecretView>), Problem> {
    let (mark, actor) = (mark(&caller, &request), caller.actor());
    let new = Register {
        url: &request.body.url,
        description: request.body.description.as_deref(),
        event_types: &request.body.event_types,
        created_by: &actor,
        sees: caller.permissions,
        mark: &mark,
    };
    let secret = FreshSecret::generate(&*app.ids, &app.import_key)?;
    let (policy, now) = (app.target_policy(), app.clock.now());
    let registered = register(&app.pool, &*app.ids, policy, &new, &secret, now).await?;
    let location = format!("/api/webhooks/{}", registered.endpoint.id);
    let replayed = registered.replayed;
    Ok(made(
        replayed,
        Some(location),
        WebhookWithSecretView::of(registered, &secret),
    ))
}
