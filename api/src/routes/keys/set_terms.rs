//! `PUT /api/keys/{id}/terms`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::api_keys::set_terms;
use domain::operators::By;
use kernel::Amount;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{KeyView, terms, view};
use crate::App;
use crate::extract::{JsonBody, Moment, path};
use crate::middleware::Caller;
use crate::problem::Problem;

/// How a key is limited from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetKeyTerms {
    /// Until it is revoked where not given, also where it was given before.
    #[schema(value_type = Option<DateTime<Utc>>)]
    expires_at: Option<Moment>,
    /// Addresses and ranges; from anywhere where not given, also where they were given before.
    #[schema(example = json!(["203.0.113.7", "10.0.0.0/8"]))]
    allowed_from: Option<Vec<String>>,
    /// The most TRX that it may have users spend in a UTC day; no limit where not given, also where it was given before.
    #[schema(value_type = Option<String>, example = "500")]
    daily_limit: Option<Amount>,
    /// As before where not given.
    rate_limit_per_minute: Option<u32>,
}

/// Sets until when and from where a key works, and how often it may ask. It holds within seconds.
#[utoipa::path(put, path = "/api/keys/{id}/terms", tag = "keys", request_body = SetKeyTerms,
    params(("id" = uuid::Uuid, Path, description = "The key")),
    responses((status = 200, description = "Set", body = KeyView)))]
pub(crate) async fn set_key_terms(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<SetKeyTerms>,
) -> Result<Json<KeyView>, Problem> {
    let terms = terms(
        body.expires_at,
        &body.allowed_from.unwrap_or_default(),
        body.daily_limit,
    )?;
    let by = By::principal(&caller);
    let key = set_terms(&app.pool, &by, path("id", &id)?, (&terms, body.rate_limit_per_minute)).await?;
    Ok(Json(view(&app, key).await?))
}
