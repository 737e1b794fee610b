//! `POST /api/auth/totp`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use domain::operators::enrol_second_factor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::own;
use crate::App;
use crate::extract::JsonBody;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Whoever finds an open session must not set up a second factor of his own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrolTotp {
    password: String,
}

/// What an authenticator app is given. It counts once a code of it was sent to `POST /api/auth/totp/confirm`.
#[derive(Serialize, ToSchema)]
pub(crate) struct EnrolledView {
    /// To be typed into the app.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// To be shown as a QR code.
    url: String,
}

/// Makes a second factor. The one before, if there is one, goes on until the new one is confirmed.
#[utoipa::path(post, path = "/api/auth/totp", tag = "auth", request_body = EnrolTotp,
    responses((status = 200, description = "Made", body = EnrolledView)))]
pub(crate) async fn enrol_totp(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    JsonBody(body): JsonBody<EnrolTotp>,
) -> Result<Json<EnrolledView>, Problem> {
    let (id, _) = own(&caller)?;
    let (operator, secret) = enrol_second_factor(&app.pool, app.door()?, id, &body.password, app.clock.now()).await?;
    Ok(Json(EnrolledView {
        secret: secret.base32(),
        url: secret.url(&operator.email),
    }))
}
