//! `GET /api/rentals/{txid}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use chain::TxId;
use domain::DomainError;
use domain::rentals::of_transaction;
use serde::Serialize;
use utoipa::ToSchema;

use super::RentalView;
use crate::App;
use crate::extract::path;
use crate::problem::Problem;

/// What a transaction bought.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RentalsView {
    /// One for each transfer to the address, in their order; nearly always one.
    items: Vec<RentalView>,
}

/// Shows what came of the coin that a transaction brought. It is found once its block is solid, about a minute after it.
#[utoipa::path(get, path = "/api/rentals/{txid}", tag = "rentals",
    params(("txid" = String, Path, description = "The transaction")),
    responses((status = 200, description = "What it bought", body = RentalsView)))]
pub(crate) async fn get_rentals(
    State(app): State<Arc<App>>,
    Path(txid): Path<String>,
) -> Result<Json<RentalsView>, Problem> {
    let (network, txid) = (&app.settings.deposits.network, path::<TxId>("txid", &txid)?);
    let found = of_transaction(&app.pool, network, &txid.to_string()).await?;
    if found.is_empty() {
        return Err(DomainError::NotFound("rental").into());
    }
    let items = found.into_iter().map(RentalView::try_from);
    Ok(Json(RentalsView {
        items: items.collect::<Result<_, _>>()?,
    }))
}
