//! `POST /api/webhooks/{id}/rotate-secret`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::HeaderMap;
use axum::{Extension, Json};
use domain::webhooks::{FreshSecret, rotate_secret};

use super::{Nothing, WebhookWithSecretView};
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::{made, mark};

/// Makes another secret for an endpoint. The one before signs beside it for 24 hours.
///
/// Sent again with the same Idempotency-Key it answers 200 without the secret.
#[utoipa::path(post, path = "/api/webhooks/{id}/rotate-secret", tag = "webhooks", request_body = Nothing,
    params(
        ("id" = uuid::Uuid, Path, description = "The endpoint"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "Made", body = WebhookWithSecretView),
        (status = 200, description = "Made before", body = WebhookWithSecretView,
            headers(("Idempotency-Replayed" = String, description = "true")))))]
pub(crate) async fn rotate_webhook_secret(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<Nothing>,
) -> Result<(StatusCode, HeaderMap, Json<WebhookWithSecretView>), Problem> {
    let Nothing {} = request.body;
    let secret = FreshSecret::generate(&*app.ids, &app.import_key)?;
    let (id, mark, now) = (path("id", &id)?, mark(&caller, &request), app.clock.now());
    let rotated = rotate_secret(&app.pool, id, &mark, &secret, now).await?;
    Ok(made(
        rotated.replayed,
        None,
        WebhookWithSecretView::of(rotated, &secret),
    ))
}
