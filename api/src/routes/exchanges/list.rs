//! `GET /api/users/{user_id}/exchanges`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::exchanges::of_user;
use kernel::ExchangeId;
use serde::Serialize;
use utoipa::ToSchema;

use super::ExchangeView;
use crate::App;
use crate::extract::{QueryParams, user_id};
use crate::problem::Problem;
use crate::routes::cut;

/// A page of exchanges, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExchangePage {
    items: Vec<ExchangeView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<ExchangeId>,
}

/// Lists a user's exchanges, newest first.
#[utoipa::path(get, path = "/api/users/{user_id}/exchanges", tag = "exchanges",
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ExchangePage)))]
pub(crate) async fn list_user_exchanges(
    State(app): State<Arc<App>>,
    Path(user): Path<String>,
    mut query: QueryParams,
) -> Result<Json<ExchangePage>, Problem> {
    let user = user_id(&user)?;
    let before: Option<ExchangeId> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut exchanges = of_user(&app.pool, user, before, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut exchanges, limit, |exchange| ExchangeId(exchange.id));
    let items = exchanges.into_iter().map(ExchangeView::try_from);
    Ok(Json(ExchangePage {
        items: items.collect::<Result<_, _>>()?,
        next_cursor,
    }))
}
