//! Webhooks: endpoints registered, shown, changed and removed; what they were told, and telling them again.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod list_deliveries;
pub(crate) mod resend;
pub(crate) mod resend_delivery;
pub(crate) mod rotate_secret;
pub(crate) mod test;
pub(crate) mod update;

use chrono::{DateTime, Utc};
use db::models::{EventType, WebhookEndpoint};
use domain::webhooks::{FreshSecret, Registered};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// An endpoint that is told of events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookView {
    id: Uuid,
    /// Where messages go.
    #[schema(example = "https://shop.example/hooks/switchyard")]
    url: String,
    /// What operators call it.
    description: Option<String>,
    /// What it is told; empty for all.
    #[schema(value_type = Vec<String>, example = json!(["order.completed", "order.refunded"]))]
    event_types: Vec<EventType>,
    /// Whether messages are sent.
    enabled: bool,
    /// Why not: `by_hand`, `gone` after it answered 410, or `key_revoked`, which is the key that registered it.
    disabled_reason: Option<String>,
    /// Since when no message arrived; null while they do.
    failing_since: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<WebhookEndpoint> for WebhookView {
    fn from(endpoint: WebhookEndpoint) -> Self {
        Self {
            id: endpoint.id,
            url: endpoint.url,
            description: endpoint.description,
            event_types: endpoint.event_types,
            enabled: endpoint.enabled,
            disabled_reason: endpoint.disabled_reason,
            failing_since: endpoint.failing_since,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

/// An endpoint with its new secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookWithSecretView {
    #[serde(flatten)]
    webhook: WebhookView,
    /// `whsec_…`, shown this once; null where the request was carried out before: rotate the secret if it was lost.
    secret: Option<String>,
}

impl WebhookWithSecretView {
    fn of(registered: Registered, secret: &FreshSecret) -> Self {
        let shown = || secret.clear.expose_text().to_string();
        Self {
            secret: (!registered.replayed).then(shown),
            webhook: registered.endpoint.into(),
        }
    }
}

/// An empty object.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}
