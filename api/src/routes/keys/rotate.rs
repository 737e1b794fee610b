//! `POST /api/keys/{id}/rotate`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use chrono::Duration;
use domain::api_keys::{find, rotate_once};
use domain::operators::By;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{FreshKeyView, random, view};
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::{mark, replayed};

/// A key that is to have a new secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateKey {
    /// For so long the secret before works on: 720 at most, 24 where not given; 0 ends it at once.
    overlap_hours: Option<u32>,
}

/// Gives a key a new secret, which the answer shows, once. The key stays who it is.
#[utoipa::path(post, path = "/api/keys/{id}/rotate", tag = "keys", request_body = RotateKey,
    params(
        ("id" = uuid::Uuid, Path, description = "The key"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Rotated", body = FreshKeyView)))]
pub(crate) async fn rotate_key(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<RotateKey>,
) -> Result<(HeaderMap, Json<FreshKeyView>), Problem> {
    let (by, mark, id) = (By::principal(&caller), mark(&caller, &request), path("id", &id)?);
    let overlap = Duration::hours(request.body.overlap_hours.unwrap_or(24).into());
    let what = (id, &random()?, overlap);
    let clear = rotate_once(&app.pool, &*app.ids, (&by, &mark), what, app.clock.now()).await?;
    let headers = if clear.is_some() { HeaderMap::new() } else { replayed() };
    let key = view(&app, find(&app.pool, id).await?).await?;
    Ok((headers, Json(FreshKeyView { key, clear })))
}
