//! `GET /api/users/{user_id}/deposits`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::deposits::of_user;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::DepositView;
use crate::App;
use crate::extract::{QueryParams, user_id};
use crate::problem::Problem;
use crate::routes::cut;

/// A page of deposits, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepositPage {
    items: Vec<DepositView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<Uuid>,
}

/// Lists a user's deposits, newest first.
#[utoipa::path(get, path = "/api/users/{user_id}/deposits", tag = "deposits",
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = DepositPage)))]
pub(crate) async fn list_user_deposits(
    State(app): State<Arc<App>>,
    Path(user): Path<String>,
    mut query: QueryParams,
) -> Result<Json<DepositPage>, Problem> {
    let user = user_id(&user)?;
    let before: Option<Uuid> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut deposits = of_user(&app.pool, user, before, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut deposits, limit, |announced| announced.deposit.id);
    let items = deposits.into_iter().map(DepositView::try_from);
    Ok(Json(DepositPage {
        items: items.collect::<Result<_, _>>()?,
        next_cursor,
    }))
}
