//! `GET /api/users/{user_id}/balance`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::users::balances;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::extract::user_id;
use crate::problem::Problem;
use crate::routes::Money;

/// What a user has.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BalanceView {
    user_id: i64,
    /// One entry per asset.
    balances: Vec<Money>,
}

/// Shows a user's balance in every asset; a user never seen has nothing.
#[utoipa::path(get, path = "/api/users/{user_id}/balance", tag = "users",
    params(("user_id" = i64, Path, description = "The user")),
    responses((status = 200, description = "The balances", body = BalanceView)))]
pub(crate) async fn get_user_balance(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<BalanceView>, Problem> {
    let user = user_id(&id)?;
    let balances = balances(&app.pool, user).await?;
    let balances = balances.into_iter().map(|(asset, amount)| Money { amount, asset });
    Ok(Json(BalanceView {
        user_id: user.0,
        balances: balances.collect(),
    }))
}
