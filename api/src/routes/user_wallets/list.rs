//! `GET /api/wallets/users/{user_id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::users::wallets;
use serde::Serialize;
use utoipa::ToSchema;

use super::UserWalletView;
use crate::App;
use crate::extract::user_id;
use crate::problem::Problem;

/// The addresses of a user; at most 100.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserWalletList {
    items: Vec<UserWalletView>,
}

/// Lists the addresses that a user keeps, oldest first.
#[utoipa::path(get, path = "/api/wallets/users/{user_id}", tag = "user wallets",
    params(("user_id" = i64, Path, description = "The user")),
    responses((status = 200, description = "The addresses", body = UserWalletList)))]
pub(crate) async fn list_user_wallets(
    State(app): State<Arc<App>>,
    Path(user): Path<String>,
) -> Result<Json<UserWalletList>, Problem> {
    let items = wallets(&app.pool, user_id(&user)?).await?;
    Ok(Json(UserWalletList {
        items: items.into_iter().map(UserWalletView::from).collect(),
    }))
}
