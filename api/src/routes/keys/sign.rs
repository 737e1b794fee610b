//! `POST /api/keys/{id}/signing`.

use std::sync::Arc;

use access::SIGNING_SECRET_LEN;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use chrono::Duration;
use domain::api_keys::{find, set_signing_once};
use domain::operators::By;
use kernel::ApiKeyId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{KeyView, random, view};
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::{made, mark};

/// How its secret is to be replaced, where it has one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignKey {
    /// How many hours the secret before signs on; 24 where not given, 720 at most.
    overlap_hours: Option<u32>,
}

/// A key whose requests have to be signed.
#[derive(Serialize, ToSchema)]
pub(crate) struct SigningView {
    key: KeyView,
    /// What requests are signed with, 64 hex digits: it is shown this once. Null where the same request was carried out before.
    #[schema(example = "0b1f…")]
    secret: Option<String>,
}

/// From now on the key's requests have to be signed, within seconds. The answer shows the secret, once; see docs/API.md for how it is used.
#[utoipa::path(post, path = "/api/keys/{id}/signing", tag = "keys", request_body = SignKey,
    params(
        ("id" = uuid::Uuid, Path, description = "The key"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "Made", body = SigningView),
        (status = 200, description = "Made before", body = SigningView)))]
pub(crate) async fn sign_key(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<SignKey>,
) -> Result<(StatusCode, HeaderMap, Json<SigningView>), Problem> {
    let id: ApiKeyId = path("id", &id)?;
    let (by, mark) = (By::principal(&caller), mark(&caller, &request));
    let random = Zeroizing::new(random()?);
    let secret = &random[..SIGNING_SECRET_LEN];
    let sealed = app.door()?.keys.seal(id.0.as_bytes(), secret);
    let sealed = sealed.map_err(|error| Problem::internal(error.to_string()))?;
    let overlap = Duration::hours(request.body.overlap_hours.unwrap_or(24).into());
    let what = (id, sealed.as_slice(), overlap);
    let now = set_signing_once(&app.pool, &*app.ids, (&by, &mark), what, app.clock.now()).await?;
    let key = view(&app, find(&app.pool, id).await?).await?;
    let secret = now.then(|| hex::encode(secret));
    Ok(made(!now, None, SigningView { key, secret }))
}
