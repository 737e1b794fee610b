//! `GET /api/users/{user_id}/deposits`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use db::models::{DepositFilter, DepositState};
use domain::deposits::page;
use kernel::{Asset, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::DepositView;
use crate::App;
use crate::extract::{QueryParams, user_id};
use crate::problem::Problem;
use crate::routes::cut;

/// A page of deposits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepositPage {
    items: Vec<DepositView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<Uuid>,
}

/// Lists a user's deposits, newest first where not asked otherwise.
#[utoipa::path(get, path = "/api/users/{user_id}/deposits", tag = "deposits",
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("state" = Option<String>, Query, description = "Only `open`, `partial`, `paid` or `expired`, or several with commas between"),
        ("asset" = Option<String>, Query, description = "Only of this asset"),
        ("way" = Option<String>, Query, description = "Only those told from others this way: `address` or `amount`"),
        ("address" = Option<String>, Query, description = "Only to be paid to this address"),
        ("txid" = Option<String>, Query, description = "Only the one that this transaction paid something of"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only announced then or later"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only announced before"),
        ("min_amount" = Option<String>, Query, description = "Only where so much or more was announced"),
        ("max_amount" = Option<String>, Query, description = "Only where so much or less was announced"),
        ("order" = Option<String>, Query, description = "`newest` (where not given) or `oldest` first"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = DepositPage)))]
pub(crate) async fn list_user_deposits(
    State(app): State<Arc<App>>,
    Path(user): Path<String>,
    mut query: QueryParams,
) -> Result<Json<DepositPage>, Problem> {
    let filter = filter(&mut query, user_id(&user)?)?;
    let place: Option<Uuid> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut deposits = page(&app.pool, &filter, place, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut deposits, limit, |announced| announced.deposit.id);
    let items = deposits.into_iter().map(DepositView::try_from);
    Ok(Json(DepositPage {
        items: items.collect::<Result<_, _>>()?,
        next_cursor,
    }))
}

/// Takes the filters of a list of a user's deposits out of the query.
fn filter(query: &mut QueryParams, user: UserId) -> Result<DepositFilter, Problem> {
    let asset: Option<Asset> = query.take("asset")?;
    Ok(DepositFilter {
        user_id: Some(user.0),
        states: query.take_words("state", DepositState::ALL, DepositState::word)?,
        asset: asset.map(Asset::code),
        way: query.take("way")?,
        address: query.take("address")?,
        txid: query.take_txid()?,
        created: query.take_period()?,
        amount: query.take_amounts("min_amount", "max_amount")?,
        oldest_first: query.take_oldest_first()?,
    })
}
