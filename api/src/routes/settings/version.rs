//! `GET /api/settings/versions/{version}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::runtime_settings::version;

use super::SettingVersionView;
use crate::App;
use crate::extract::path;
use crate::problem::Problem;

/// Shows a version of the settings: who made it and why, and in what it differs from the one before.
#[utoipa::path(get, path = "/api/settings/versions/{version}", tag = "settings",
    params(("version" = i64, Path, description = "The version")),
    responses((status = 200, description = "The version", body = SettingVersionView)))]
pub(crate) async fn get_setting_version(
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
) -> Result<Json<SettingVersionView>, Problem> {
    let (found, differences) = version(&app.pool, path("version", &number)?).await?;
    Ok(Json(SettingVersionView::of(found, differences)))
}
