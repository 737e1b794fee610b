//! `GET /api/operations/deposits`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use db::models::TransferFilter;
use domain::operations::transfers_page;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;
use crate::routes::deposits::TransferView;

/// A page of transfers, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransferPage {
    items: Vec<TransferView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<Uuid>,
}

/// Lists transfers on chain that concern us, newest first.
#[utoipa::path(get, path = "/api/operations/deposits", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "Only `seen`, `reverted`, `credited`, `held`, `ignored`, `refunded` or `reversed`"),
        ("case" = Option<String>, Query, description = "Only this case, such as `unmatched`"),
        ("user_id" = Option<i64>, Query, description = "Only this user's"),
        ("txid" = Option<String>, Query, description = "Only of this transaction"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = TransferPage)))]
pub(crate) async fn list_deposits(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<TransferPage>, Problem> {
    let txid: Option<String> = query.take("txid")?;
    let filter = TransferFilter {
        state: query.take("state")?,
        kind: query.take("case")?,
        user: query.take("user_id")?,
        txid: txid.as_deref(),
    };
    let before: Option<Uuid> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut rows = transfers_page(&app.pool, filter, before, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut rows, limit, |row| row.id);
    let items = rows.into_iter().map(TransferView::try_from);
    Ok(Json(TransferPage {
        items: items.collect::<Result<_, _>>()?,
        next_cursor,
    }))
}
