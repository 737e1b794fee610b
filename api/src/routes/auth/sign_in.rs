//! `POST /api/auth/sign-in`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{HeaderMap, USER_AGENT};
use axum::{Extension, Json};
use domain::operators::{Attempt, sign_in as begin};
use serde::Deserialize;
use utoipa::ToSchema;

use super::SignedInView;
use crate::App;
use crate::extract::JsonBody;
use crate::middleware::Client;
use crate::problem::Problem;

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    #[schema(example = "anna@example.org")]
    email: String,
    password: String,
    /// The six digits of the second factor; needed once it is set up.
    #[schema(example = "287082")]
    totp_code: Option<String>,
}

/// Signs an operator in, with e-mail address, password and the code of the second factor. A wrong address, password or code are
/// told alike; from the third wrong try in a row on the operator has to wait, twice as long each time, an hour at most. A code is
/// taken once.
#[utoipa::path(post, path = "/api/auth/sign-in", tag = "auth", request_body = SignIn,
    responses((status = 200, description = "Signed in", body = SignedInView)))]
pub(crate) async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(Client(client)): Extension<Client>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SignIn>,
) -> Result<Json<SignedInView>, Problem> {
    let door = app.door()?;
    let client = client.map(|client| client.to_string());
    let attempt = Attempt {
        email: &body.email,
        password: &body.password,
        code: body.totp_code.as_deref(),
        address: client.as_deref(),
        agent: headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()),
    };
    let signed_in = begin(&app.pool, door, &*app.ids, attempt, app.clock.now()).await?;
    Ok(Json(signed_in.into()))
}
