//! `GET /api/users/{user_id}/exchanges`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use db::models::{ExchangeFilter, ExchangeState};
use domain::exchanges::page;
use kernel::{ExchangeId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::ExchangeView;
use crate::App;
use crate::extract::{QueryParams, user_id};
use crate::problem::Problem;
use crate::routes::cut;

/// A page of exchanges.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExchangePage {
    items: Vec<ExchangeView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<ExchangeId>,
}

/// Lists a user's exchanges, newest first where not asked otherwise.
#[utoipa::path(get, path = "/api/users/{user_id}/exchanges", tag = "exchanges",
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("state" = Option<String>, Query, description = "Only `pending`, `done` or `failed`, or several with commas between"),
        ("cause" = Option<String>, Query, description = "Only for this cause: `request` or `deposit`"),
        ("transfer_id" = Option<uuid::Uuid>, Query, description = "Only of the USDT that this transfer brought"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only asked for then or later"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only asked for before"),
        ("min_amount" = Option<String>, Query, description = "Only of so much USDT or more"),
        ("max_amount" = Option<String>, Query, description = "Only of so much USDT or less"),
        ("order" = Option<String>, Query, description = "`newest` (where not given) or `oldest` first"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ExchangePage)))]
pub(crate) async fn list_user_exchanges(
    State(app): State<Arc<App>>,
    Path(user): Path<String>,
    mut query: QueryParams,
) -> Result<Json<ExchangePage>, Problem> {
    let filter = filter(&mut query, user_id(&user)?)?;
    let place: Option<ExchangeId> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut exchanges = page(&app.pool, &filter, place, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut exchanges, limit, |exchange| ExchangeId(exchange.id));
    let items = exchanges.into_iter().map(ExchangeView::try_from);
    Ok(Json(ExchangePage {
        items: items.collect::<Result<_, _>>()?,
        next_cursor,
    }))
}

/// Takes the filters of a list of a user's exchanges out of the query.
fn filter(query: &mut QueryParams, user: UserId) -> Result<ExchangeFilter, Problem> {
    Ok(ExchangeFilter {
        user_id: Some(user.0),
        states: query.take_words("state", ExchangeState::ALL, ExchangeState::word)?,
        cause: query.take("cause")?,
        transfer_id: query.take("transfer_id")?,
        created: query.take_period()?,
        usdt_micro: query.take_amounts("min_amount", "max_amount")?,
        oldest_first: query.take_oldest_first()?,
    })
}
