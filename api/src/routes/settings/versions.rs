//! `GET /api/settings/versions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::runtime_settings::versions;
use serde::Serialize;
use utoipa::ToSchema;

use super::SettingVersionView;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of versions, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingVersionPage {
    items: Vec<SettingVersionView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<i64>,
}

/// Lists versions of the settings, newest first.
#[utoipa::path(get, path = "/api/settings/versions", tag = "settings",
    params(
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = SettingVersionPage)))]
pub(crate) async fn list_setting_versions(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<SettingVersionPage>, Problem> {
    let before: Option<i64> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut rows = versions(&app.pool, before, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut rows, limit, |(row, _)| row.version);
    let items = rows
        .into_iter()
        .map(|(row, differences)| SettingVersionView::of(row, differences));
    Ok(Json(SettingVersionPage {
        items: items.collect(),
        next_cursor,
    }))
}
