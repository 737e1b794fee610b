//! `POST /api/wallets/users/{user_id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chain::TronAddress;
use domain::users::keep_wallet;
use serde::Deserialize;
use utoipa::ToSchema;

use super::UserWalletView;
use crate::App;
use crate::extract::{JsonBody, user_id};
use crate::problem::Problem;

/// An address to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateUserWallet {
    /// A TRON address in base58.
    #[schema(value_type = String, example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    address: TronAddress,
    /// At most 100 characters.
    label: Option<String>,
}

/// Keeps an address for a user. Where it is kept already, only its label changes.
#[utoipa::path(post, path = "/api/wallets/users/{user_id}", tag = "user wallets", request_body = CreateUserWallet,
    params(("user_id" = i64, Path, description = "The user")),
    responses(
        (status = 201, description = "Kept", body = UserWalletView),
        (status = 200, description = "Kept before", body = UserWalletView)))]
pub(crate) async fn create_user_wallet(
    State(app): State<Arc<App>>,
    Path(user): Path<String>,
    JsonBody(body): JsonBody<CreateUserWallet>,
) -> Result<(StatusCode, Json<UserWalletView>), Problem> {
    let user = user_id(&user)?;
    let (wallet, new) = keep_wallet(&app.pool, user, body.address, body.label, app.clock.now()).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(wallet.into())))
}
