//! `PATCH /api/webhooks/{id}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::HeaderMap;
use axum::{Extension, Json};
use db::models::{EndpointChange, EventType};
use domain::operations::change_webhook_as;
use domain::webhooks::{checked_description, checked_url};
use serde::Deserialize;
use utoipa::ToSchema;

use super::WebhookView;
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::operations::{answer, instruction};

/// What is to be changed; what is not given stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateWebhook {
    /// Where messages go.
    url: Option<String>,
    /// What you call it, at most 200 characters.
    description: Option<String>,
    /// What it is told; empty for all.
    #[schema(value_type = Option<Vec<String>>)]
    event_types: Option<Vec<EventType>>,
    /// Off: nothing is sent, and of what happens meanwhile it is never told. On: what waited is sent.
    enabled: Option<bool>,
}

impl UpdateWebhook {
    fn change(&self, app: &App) -> Result<EndpointChange, Problem> {
        let url = self.url.as_deref().map(|url| checked_url(url, app.target_policy()));
        let description = checked_description(self.description.as_deref())?;
        let event_types = self.event_types.clone().map(|mut types| {
            types.sort_by_key(|event_type| event_type.word());
            types.dedup();
            types
        });
        Ok(EndpointChange {
            url: url.transpose()?,
            description: description.map(Some),
            event_types,
            enabled: self.enabled,
            disabled_reason: self.enabled.map(|on| (!on).then(|| "by_hand".to_owned())),
        })
    }
}

/// Changes an endpoint: its address, what it is told, whether it is told anything.
///
/// Whoever changes anything of it has to see what it is told of himself, before and afterwards.
#[utoipa::path(patch, path = "/api/webhooks/{id}", tag = "webhooks", request_body = UpdateWebhook,
    params(
        ("id" = uuid::Uuid, Path, description = "The endpoint"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Changed", body = WebhookView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn update_webhook(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<UpdateWebhook>,
) -> Result<(HeaderMap, Json<WebhookView>), Problem> {
    let instruction = instruction(&caller, &request, None, false);
    let change = request.body.change(&app)?;
    let how = (&instruction, caller.permissions);
    let (id, now) = (path("id", &id)?, app.clock.now());
    let (endpoint, done) = change_webhook_as(&app.pool, &*app.ids, how, (id, &change), now).await?;
    app.wakes.push(done.wakes.clone());
    Ok(answer(&done, endpoint.into()))
}
