//! `GET /api/users/{user_id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use db::models::User;
use domain::users::find;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::extract::user_id;
use crate::problem::Problem;

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserView {
    /// The Telegram id.
    id: i64,
    /// Since then no order, payout or exchange is taken from him; running orders go on.
    blocked_at: Option<DateTime<Utc>>,
    blocked_reason: Option<String>,
    /// When he was first seen.
    created_at: DateTime<Utc>,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            blocked_at: user.blocked_at,
            blocked_reason: user.blocked_reason,
            created_at: user.created_at,
        }
    }
}

/// Answers a user who was seen.
#[utoipa::path(get, path = "/api/users/{user_id}", tag = "users",
    params(("user_id" = i64, Path, description = "The user")),
    responses((status = 200, description = "The user", body = UserView)))]
pub(crate) async fn get_user(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<UserView>, Problem> {
    Ok(Json(find(&app.pool, user_id(&id)?).await?.into()))
}
