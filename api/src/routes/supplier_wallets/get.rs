//! `GET /api/supplier-wallets/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::wallets::find;

use super::SupplierWalletView;
use crate::App;
use crate::extract::path;
use crate::problem::Problem;

/// Shows a supplier wallet.
#[utoipa::path(get, path = "/api/supplier-wallets/{id}", tag = "supplier wallets",
    params(("id" = uuid::Uuid, Path, description = "The wallet")),
    responses((status = 200, description = "The wallet", body = SupplierWalletView)))]
pub(crate) async fn get_supplier_wallet(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<SupplierWalletView>, Problem> {
    let wallet = find(&app.pool, path("id", &id)?).await?;
    Ok(Json(SupplierWalletView::find(&app, wallet).await?))
}
