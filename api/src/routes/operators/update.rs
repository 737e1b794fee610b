//! `PATCH /api/operators/{id}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::operators::{By, Change, change};
use serde::Deserialize;
use utoipa::ToSchema;

use super::OperatorView;
use crate::App;
use crate::extract::{JsonBody, path};
use crate::middleware::Caller;
use crate::problem::Problem;

/// What is to be other than before; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateOperator {
    /// 1 to 100 characters.
    name: Option<String>,
    /// All that he is to have.
    roles: Option<Vec<String>>,
    /// Off, he is signed out everywhere.
    enabled: Option<bool>,
}

/// Changes an operator. Nobody changes himself, and nobody changes who may do more than he.
#[utoipa::path(patch, path = "/api/operators/{id}", tag = "operators", request_body = UpdateOperator,
    params(("id" = uuid::Uuid, Path, description = "The operator")),
    responses((status = 200, description = "Changed", body = OperatorView)))]
pub(crate) async fn update_operator(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<UpdateOperator>,
) -> Result<Json<OperatorView>, Problem> {
    let wanted = Change {
        name: body.name.as_deref(),
        roles: body.roles.as_deref(),
        enabled: body.enabled,
    };
    let by = By::principal(&caller);
    let operator = change(&app.pool, &by, path("id", &id)?, wanted, app.clock.now()).await?;
    Ok(Json(operator.into()))
}
