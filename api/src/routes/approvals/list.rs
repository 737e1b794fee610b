//! `GET /api/approvals`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use db::models::{ApprovalFilter, ApprovalState};
use domain::operations::approvals_page;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ApprovalView;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of what was asked for, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApprovalPage {
    items: Vec<ApprovalView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<Uuid>,
}

/// Lists what was asked for and needs a second operator, newest first.
#[utoipa::path(get, path = "/api/approvals", tag = "approvals",
    params(
        ("state" = Option<String>, Query, description = "`open`, `approved`, `rejected` or `expired`, or several with commas between"),
        ("kind" = Option<String>, Query, description = "`balances.adjust`, `wallets.replace_key`, `prices.publish` or `settings.change`"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ApprovalPage)))]
pub(crate) async fn list_approvals(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<ApprovalPage>, Problem> {
    let filter = ApprovalFilter {
        states: query.take_words("state", ApprovalState::ALL, ApprovalState::word)?,
        kind: query.take("kind")?,
    };
    let before: Option<Uuid> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut found = approvals_page(&app.pool, filter, before, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut found, limit, |approval| approval.id);
    let now = app.clock.now();
    let items = found
        .into_iter()
        .map(|approval| ApprovalView::at(approval, now))
        .collect();
    Ok(Json(ApprovalPage { items, next_cursor }))
}
