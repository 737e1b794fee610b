//! `POST /api/users/{user_id}/block`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::users::{find, set_blocked};
use serde::Deserialize;
use utoipa::ToSchema;

use super::get::UserView;
use crate::App;
use crate::extract::{JsonBody, user_id};
use crate::problem::Problem;

/// Why a user is blocked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlockUser {
    /// 1 to 500 characters.
    #[schema(example = "chargeback, case 1042")]
    reason: String,
}

/// Blocks a user: no order, payout or exchange is taken from him any more. Running orders go on.
#[utoipa::path(post, path = "/api/users/{user_id}/block", tag = "users", request_body = BlockUser,
    params(("user_id" = i64, Path, description = "The user")),
    responses((status = 200, description = "Blocked", body = UserView)))]
pub(crate) async fn block_user(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<BlockUser>,
) -> Result<Json<UserView>, Problem> {
    let user = user_id(&id)?;
    set_blocked(&app.pool, user, Some(&body.reason), app.clock.now()).await?;
    Ok(Json(find(&app.pool, user).await?.into()))
}
