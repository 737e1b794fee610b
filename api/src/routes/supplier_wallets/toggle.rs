//! `PUT /api/supplier-wallets/{id}/toggle`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::wallets::set_enabled;
use serde::Deserialize;
use utoipa::ToSchema;

use super::SupplierWalletView;
use crate::App;
use crate::extract::{JsonBody, path};
use crate::problem::Problem;

/// Whether a wallet takes new orders.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToggleSupplierWallet {
    enabled: bool,
}

/// Switches a wallet on or off for new orders. On also ends an isolation. Off, it is `draining` until its last rental is
/// reclaimed: live rentals run to their end either way.
#[utoipa::path(put, path = "/api/supplier-wallets/{id}/toggle", tag = "supplier wallets",
    request_body = ToggleSupplierWallet,
    params(("id" = uuid::Uuid, Path, description = "The wallet")),
    responses((status = 200, description = "Switched", body = SupplierWalletView)))]
pub(crate) async fn toggle_supplier_wallet(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<ToggleSupplierWallet>,
) -> Result<Json<SupplierWalletView>, Problem> {
    let wallet = set_enabled(&app.pool, &*app.ids, path("id", &id)?, body.enabled, app.clock.now()).await?;
    Ok(Json(SupplierWalletView::find(&app, wallet).await?))
}
