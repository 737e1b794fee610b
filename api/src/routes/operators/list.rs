//! `GET /api/operators`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::operators::list;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::OperatorView;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of operators, the first that was made first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperatorPage {
    items: Vec<OperatorView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<Uuid>,
}

/// Lists operators.
#[utoipa::path(get, path = "/api/operators", tag = "operators",
    params(
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<Uuid>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = OperatorPage)))]
pub(crate) async fn list_operators(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<OperatorPage>, Problem> {
    let after = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut operators = list(&app.pool, after, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut operators, limit, |operator| operator.id);
    let items = operators.into_iter().map(OperatorView::from).collect();
    Ok(Json(OperatorPage { items, next_cursor }))
}
