//! `POST /api/operators`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use domain::operators::{By, NewOperator, create};
use serde::Deserialize;
use utoipa::ToSchema;

use super::MadeOperatorView;
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::{made, mark};

/// Somebody who is to sign in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateOperator {
    #[schema(example = "anna@example.org")]
    email: String,
    /// 1 to 100 characters.
    #[schema(example = "Anna")]
    name: String,
    /// See `GET /api/roles`. Together they must not give more than you may do.
    #[schema(example = json!(["finance_manager"]))]
    roles: Vec<String>,
}

/// Makes an operator, with a password for the first sign-in.
#[utoipa::path(post, path = "/api/operators", tag = "operators", request_body = CreateOperator,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "Made", body = MadeOperatorView),
        (status = 200, description = "Made before", body = MadeOperatorView)))]
pub(crate) async fn create_operator(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<CreateOperator>,
) -> Result<(StatusCode, HeaderMap, Json<MadeOperatorView>), Problem> {
    let (by, mark) = (By::principal(&caller), mark(&caller, &request));
    let new = NewOperator {
        email: &request.body.email,
        name: &request.body.name,
        roles: &request.body.roles,
    };
    let fresh = create(&app.pool, &*app.ids, &by, (new, Some(&mark)), app.clock.now()).await?;
    let location = format!("/api/operators/{}", fresh.operator.id);
    Ok(made(fresh.replayed, Some(location), fresh.into()))
}
