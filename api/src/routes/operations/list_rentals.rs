//! `GET /api/operations/rentals`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use db::models::Rental;
use domain::rentals::page;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;
use crate::routes::rentals::RentalView;

/// A rental with its transaction.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RentalOfTransaction {
    /// The transaction that brought the coin.
    txid: String,
    #[serde(flatten)]
    rental: RentalView,
}

impl TryFrom<(Rental, String)> for RentalOfTransaction {
    type Error = Problem;

    fn try_from((rental, txid): (Rental, String)) -> Result<Self, Problem> {
        Ok(Self {
            txid,
            rental: rental.try_into()?,
        })
    }
}

/// A page of rentals, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RentalPage {
    items: Vec<RentalOfTransaction>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<Uuid>,
}

/// Lists coin that was sent for energy, newest first. `?state=held` lists what waits for an operator.
#[utoipa::path(get, path = "/api/operations/rentals", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "Only in this state"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = RentalPage)))]
pub(crate) async fn list_rentals(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<RentalPage>, Problem> {
    let state = query.take("state")?;
    let before: Option<Uuid> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut rentals = page(&app.pool, state, before, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut rentals, limit, |(rental, _)| rental.transfer_id);
    let items = rentals.into_iter().map(RentalOfTransaction::try_from);
    Ok(Json(RentalPage {
        items: items.collect::<Result<_, _>>()?,
        next_cursor,
    }))
}
