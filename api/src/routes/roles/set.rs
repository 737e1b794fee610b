//! `PUT /api/roles/{name}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use domain::operators::{By, RoleDraft, set_role as set};
use serde::Deserialize;
use utoipa::ToSchema;

use super::RoleView;
use crate::App;
use crate::extract::JsonBody;
use crate::middleware::Caller;
use crate::problem::Problem;

/// A role as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetRole {
    /// 1 to 100 characters.
    #[schema(example = "Night shift")]
    title: String,
    /// See `GET /api/permissions`. All of them have to be yours.
    #[schema(example = json!(["jobs:read", "jobs:redrive"]))]
    permissions: Vec<String>,
}

/// Makes a role, or changes one for all who have it, within seconds.
#[utoipa::path(put, path = "/api/roles/{name}", tag = "operators", request_body = SetRole,
    params(("name" = String, Path, description = "3 to 50 of a-z, 0-9 and _, a letter first")),
    responses(
        (status = 200, description = "Changed", body = RoleView),
        (status = 201, description = "Made", body = RoleView)))]
pub(crate) async fn set_role(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(name): Path<String>,
    JsonBody(body): JsonBody<SetRole>,
) -> Result<(StatusCode, Json<RoleView>), Problem> {
    let draft = RoleDraft {
        name: &name,
        title: &body.title,
        permissions: &body.permissions,
    };
    let (role, new) = set(&app.pool, &By::principal(&caller), draft, app.clock.now()).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(role.into())))
}
