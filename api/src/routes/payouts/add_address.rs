//! `POST /api/users/{user_id}/payout-addresses`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chain::TronAddress;
use domain::payouts::list_address;
use serde::Deserialize;
use utoipa::ToSchema;

use super::PayoutAddressView;
use crate::App;
use crate::extract::{JsonBody, user_id};
use crate::problem::Problem;

/// An address to list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddPayoutAddress {
    /// A TRON address in base58.
    #[schema(value_type = String, example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    address: TronAddress,
    /// At most 100 characters.
    label: Option<String>,
}

/// Lists an address for a user. From the first one on the user is paid to listed addresses alone.
#[utoipa::path(post, path = "/api/users/{user_id}/payout-addresses", tag = "payouts", request_body = AddPayoutAddress,
    params(("user_id" = i64, Path, description = "The user")),
    responses(
        (status = 201, description = "Listed", body = PayoutAddressView),
        (status = 200, description = "Listed before", body = PayoutAddressView)))]
pub(crate) async fn add_payout_address(
    State(app): State<Arc<App>>,
    Path(user): Path<String>,
    JsonBody(body): JsonBody<AddPayoutAddress>,
) -> Result<(StatusCode, Json<PayoutAddressView>), Problem> {
    let user = user_id(&user)?;
    let (row, new) = list_address(&app.pool, user, body.address, body.label, app.clock.now()).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(row.into())))
}
