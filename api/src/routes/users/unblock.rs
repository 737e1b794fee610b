//! `POST /api/users/{user_id}/unblock`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::users::{find, set_blocked};

use super::get::UserView;
use crate::App;
use crate::extract::user_id;
use crate::problem::Problem;

/// Lets a user order again.
#[utoipa::path(post, path = "/api/users/{user_id}/unblock", tag = "users",
    params(("user_id" = i64, Path, description = "The user")),
    responses((status = 200, description = "Unblocked", body = UserView)))]
pub(crate) async fn unblock_user(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<UserView>, Problem> {
    let user = user_id(&id)?;
    set_blocked(&app.pool, user, None, app.clock.now()).await?;
    Ok(Json(find(&app.pool, user).await?.into()))
}
