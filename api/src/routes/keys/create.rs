//! `POST /api/keys`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use domain::api_keys::{NewKey, create_once, find};
use domain::operators::By;
use kernel::Amount;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{FreshKeyView, random, terms, view};
use crate::App;
use crate::extract::{Idempotent, Moment};
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::{made, mark};

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateKey {
    /// Who uses it: 1 to 100 characters.
    #[schema(example = "bot")]
    name: String,
    /// What it may do; no more than you.
    #[schema(example = json!(["orders:read", "orders:write"]))]
    scopes: Vec<String>,
    /// `limits.orders_per_minute_per_key` where not given.
    rate_limit_per_minute: Option<u32>,
    /// Until it is revoked where not given.
    #[schema(value_type = Option<DateTime<Utc>>)]
    expires_at: Option<Moment>,
    /// Addresses and ranges; from anywhere where not given.
    #[schema(example = json!(["203.0.113.7", "10.0.0.0/8"]))]
    allowed_from: Option<Vec<String>>,
    /// The most TRX that it may have users spend in a UTC day; no limit where not given.
    #[schema(value_type = Option<String>, example = "500")]
    daily_limit: Option<Amount>,
}

/// Makes a key. The answer shows it, once.
#[utoipa::path(post, path = "/api/keys", tag = "keys", request_body = CreateKey,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "Made", body = FreshKeyView),
        (status = 200, description = "Made before", body = FreshKeyView)))]
pub(crate) async fn create_key(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<CreateKey>,
) -> Result<(StatusCode, HeaderMap, Json<FreshKeyView>), Problem> {
    let (by, mark) = (By::principal(&caller), mark(&caller, &request));
    let body = request.body;
    let terms = terms(
        body.expires_at,
        &body.allowed_from.unwrap_or_default(),
        body.daily_limit,
    )?;
    let per_minute = app.settings.limits.orders_per_minute_per_key;
    let key = NewKey {
        name: &body.name,
        scopes: &body.scopes,
        rate_limit_per_minute: body.rate_limit_per_minute.unwrap_or(per_minute),
        terms: &terms,
    };
    let (id, clear) = create_once(&app.pool, &*app.ids, (&by, &mark), (&key, &random()?), app.clock.now()).await?;
    let key = view(&app, find(&app.pool, id).await?).await?;
    let location = format!("/api/keys/{id}");
    Ok(made(clear.is_none(), Some(location), FreshKeyView { key, clear }))
}
