//! `GET /api/keys`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::api_keys::page;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{KeyView, views};
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of keys, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyPage {
    items: Vec<KeyView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<Uuid>,
}

/// Lists keys, those that were revoked with them.
#[utoipa::path(get, path = "/api/keys", tag = "keys",
    params(
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<Uuid>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = KeyPage)))]
pub(crate) async fn list_keys(State(app): State<Arc<App>>, mut query: QueryParams) -> Result<Json<KeyPage>, Problem> {
    let before = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut keys = page(&app.pool, before, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut keys, limit, |key| key.id);
    let items = views(&app, keys).await?;
    Ok(Json(KeyPage { items, next_cursor }))
}
