//! `GET /api/supplier-wallets/`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::wallets::{page, shown};
use kernel::WalletId;
use serde::Serialize;
use utoipa::ToSchema;

use super::SupplierWalletView;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of supplier wallets, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SupplierWalletPage {
    items: Vec<SupplierWalletView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<WalletId>,
}

/// Lists supplier wallets, oldest first.
#[utoipa::path(get, path = "/api/supplier-wallets/", tag = "supplier wallets",
    params(
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = SupplierWalletPage)))]
pub(crate) async fn list_supplier_wallets(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<SupplierWalletPage>, Problem> {
    let after: Option<WalletId> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut wallets = page(&app.pool, after, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut wallets, limit, |wallet| WalletId(wallet.id));
    let items = shown(&app.pool, wallets)
        .await?
        .into_iter()
        .map(SupplierWalletView::try_from)
        .collect::<Result<_, _>>()?;
    Ok(Json(SupplierWalletPage { items, next_cursor }))
}
