//! `GET /api/webhooks`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::webhooks::page;
use kernel::WebhookId;
use serde::Serialize;
use utoipa::ToSchema;

use super::WebhookView;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of endpoints, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookPage {
    items: Vec<WebhookView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<WebhookId>,
}

/// Lists endpoints, oldest first.
#[utoipa::path(get, path = "/api/webhooks", tag = "webhooks",
    params(
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = WebhookPage)))]
pub(crate) async fn list_webhooks(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<WebhookPage>, Problem> {
    let after: Option<WebhookId> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut endpoints = page(&app.pool, after, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut endpoints, limit, |endpoint| WebhookId(endpoint.id));
    let items = endpoints.into_iter().map(WebhookView::from).collect();
    Ok(Json(WebhookPage { items, next_cursor }))
}
