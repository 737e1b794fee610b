//! `GET /api/operations/rentals`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use db::models::{Rental, RentalFilter, RentalState};
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

/// A page of rentals.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RentalPage {
    items: Vec<RentalOfTransaction>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<Uuid>,
}

/// Lists coin that was sent for energy, newest first where not asked otherwise. `?state=held` lists what waits for an operator.
#[utoipa::path(get, path = "/api/operations/rentals", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "Only in this state, or one of several with commas between"),
        ("sender" = Option<String>, Query, description = "Only from this address"),
        ("receiver" = Option<String>, Query, description = "Only for this address"),
        ("reason" = Option<String>, Query, description = "Only with this reason, such as `no_price`"),
        ("txid" = Option<String>, Query, description = "Only the coin that this transaction brought"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only credited then or later"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only credited before"),
        ("min_amount" = Option<String>, Query, description = "Only of so much TRX or more"),
        ("max_amount" = Option<String>, Query, description = "Only of so much TRX or less"),
        ("order" = Option<String>, Query, description = "`newest` (where not given) or `oldest` first"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = RentalPage)))]
pub(crate) async fn list_rentals(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<RentalPage>, Problem> {
    let filter = filter(&mut query, &app.settings.deposits.network)?;
    let place: Option<Uuid> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut rentals = page(&app.pool, &filter, place, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut rentals, limit, |(rental, _)| rental.transfer_id);
    let items = rentals.into_iter().map(RentalOfTransaction::try_from);
    Ok(Json(RentalPage {
        items: items.collect::<Result<_, _>>()?,
        next_cursor,
    }))
}

/// Takes the filters of a list of rentals out of the query.
fn filter(query: &mut QueryParams, network: &str) -> Result<RentalFilter, Problem> {
    let txid = query.take_txid()?;
    Ok(RentalFilter {
        states: query.take_words("state", RentalState::ALL, RentalState::word)?,
        transaction: txid.map(|txid| (network.to_owned(), txid)),
        sender: query.take("sender")?,
        receiver: query.take("receiver")?,
        reason: query.take("reason")?,
        created: query.take_period()?,
        amount_sun: query.take_amounts("min_amount", "max_amount")?,
        oldest_first: query.take_oldest_first()?,
    })
}
