//! `GET /api/permissions`.

use access::{Permission, Scope};
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// One thing that somebody may be allowed to do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PermissionView {
    #[schema(example = "balances:write")]
    name: &'static str,
    title: &'static str,
    /// In Chinese.
    title_zh: &'static str,
    /// The scope of an API key that gives it; null: operators alone have it.
    #[schema(example = "balances:write")]
    scope: Option<&'static str>,
}

/// Every permission.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PermissionList {
    items: Vec<PermissionView>,
}

/// Lists permissions.
#[utoipa::path(get, path = "/api/permissions", tag = "operators",
    responses((status = 200, description = "All", body = PermissionList)))]
pub(crate) async fn list_permissions() -> Result<Json<PermissionList>, Problem> {
    let view = |permission: &Permission| PermissionView {
        name: permission.word(),
        title: permission.title(),
        title_zh: permission.title_zh(),
        scope: permission.scope().map(Scope::word),
    };
    let items = Permission::ALL.iter().map(view).collect();
    Ok(Json(PermissionList { items }))
}
