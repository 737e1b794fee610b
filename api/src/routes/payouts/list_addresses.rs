//! `GET /api/users/{user_id}/payout-addresses`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::payouts::listed_addresses;
use serde::Serialize;
use utoipa::ToSchema;

use super::PayoutAddressView;
use crate::App;
use crate::extract::user_id;
use crate::problem::Problem;

/// The addresses that a user may be paid to; at most 100.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayoutAddressList {
    items: Vec<PayoutAddressView>,
}

/// Lists the addresses that a user may be paid to, oldest first. With none, the user may be paid to any, unless the
/// settings ask for a list.
#[utoipa::path(get, path = "/api/users/{user_id}/payout-addresses", tag = "payouts",
    params(("user_id" = i64, Path, description = "The user")),
    responses((status = 200, description = "The addresses", body = PayoutAddressList)))]
pub(crate) async fn list_payout_addresses(
    State(app): State<Arc<App>>,
    Path(user): Path<String>,
) -> Result<Json<PayoutAddressList>, Problem> {
    let items = listed_addresses(&app.pool, user_id(&user)?).await?;
    Ok(Json(PayoutAddressList {
        items: items.into_iter().map(PayoutAddressView::from).collect(),
    }))
}
