//! `GET /api/roles`.

use std::sync::Arc;

use access::BuiltInRole;
use axum::Json;
use axum::extract::State;
use domain::operators::roles;
use serde::Serialize;
use utoipa::ToSchema;

use super::RoleView;
use crate::App;
use crate::problem::Problem;

/// Every role: those of the house first, then those that operators made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleList {
    items: Vec<RoleView>,
}

/// Lists roles.
#[utoipa::path(get, path = "/api/roles", tag = "operators", responses((status = 200, description = "All", body = RoleList)))]
pub(crate) async fn list_roles(State(app): State<Arc<App>>) -> Result<Json<RoleList>, Problem> {
    let made = roles(&app.pool).await?;
    let of_the_house = BuiltInRole::ALL.iter().copied().map(RoleView::from);
    let items = of_the_house.chain(made.into_iter().map(RoleView::from)).collect();
    Ok(Json(RoleList { items }))
}
