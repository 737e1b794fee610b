//! `GET /api/supplier-wallets/`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use db::models::{WalletFilter, WalletPurpose, WalletState};
use domain::wallets::{page, shown};
use kernel::WalletId;
use serde::Serialize;
use utoipa::ToSchema;

use super::SupplierWalletView;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of supplier wallets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SupplierWalletPage {
    items: Vec<SupplierWalletView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<WalletId>,
}

/// What is listed: deposit addresses are not.
pub(crate) const PURPOSES: [WalletPurpose; 2] = [WalletPurpose::Supply, WalletPurpose::Treasury];

/// Lists supplier wallets, oldest first where not asked otherwise.
#[utoipa::path(get, path = "/api/supplier-wallets/", tag = "supplier wallets",
    params(
        ("state" = Option<String>, Query, description = "Only `importing`, `active` or `rejected`, or several with commas between"),
        ("purpose" = Option<String>, Query, description = "Only for this purpose: `supply` or `treasury`, or both with a comma between"),
        ("address" = Option<String>, Query, description = "Only the one with this address"),
        ("enabled" = Option<bool>, Query, description = "Only those that are switched on, or off"),
        ("isolated" = Option<bool>, Query, description = "Only those that are isolated, or are not"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only taken in then or later"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only taken in before"),
        ("min_balance" = Option<String>, Query, description = "Only with so much TRX or more at the last read"),
        ("max_balance" = Option<String>, Query, description = "Only with so much TRX or less at the last read"),
        ("order" = Option<String>, Query, description = "`oldest` (where not given) or `newest` first"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = SupplierWalletPage)))]
pub(crate) async fn list_supplier_wallets(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<SupplierWalletPage>, Problem> {
    let filter = filter(&mut query)?;
    let place: Option<WalletId> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut wallets = page(&app.pool, &filter, place, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut wallets, limit, |wallet| WalletId(wallet.id));
    let items = shown(&app.pool, wallets)
        .await?
        .into_iter()
        .map(SupplierWalletView::try_from)
        .collect::<Result<_, _>>()?;
    Ok(Json(SupplierWalletPage { items, next_cursor }))
}

/// Takes the filters of a list of wallets out of the query.
fn filter(query: &mut QueryParams) -> Result<WalletFilter, Problem> {
    Ok(WalletFilter {
        states: query.take_words("state", WalletState::ALL, WalletState::word)?,
        purposes: query.take_words("purpose", &PURPOSES, WalletPurpose::word)?,
        address: query.take("address")?,
        enabled: query.take("enabled")?,
        isolated: query.take("isolated")?,
        created: query.take_period()?,
        balance_sun: query.take_amounts("min_balance", "max_balance")?,
        newest_first: query.take_newest_first()?,
    })
}
