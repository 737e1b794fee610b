//! `POST /api/settings/versions/{version}/restore`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use domain::runtime_settings::Wish;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::approvals::WaitingView;
use super::{Change, SettingVersionView, SettingsAnswer, make};
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::Problem;

/// Why settings go back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestoreSettings {
    /// The version that you saw in force.
    #[schema(example = 7)]
    base_version: i64,
    /// Why: 1 to 500 characters.
    #[schema(example = "the pool has recovered")]
    reason: String,
}

/// Goes back to the values of an earlier version, 0 for the configuration alone: a new version holds them. With `approvals.settings` it
/// waits, with 202, until another operator agrees.
#[utoipa::path(post, path = "/api/settings/versions/{version}/restore", tag = "settings", request_body = RestoreSettings,
    params(
        ("version" = i64, Path, description = "The version to go back to"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "In force", body = SettingVersionView),
        (status = 200, description = "Gone back before", body = SettingVersionView,
            headers(("Idempotency-Replayed" = String, description = "true"))),
        (status = 202, description = "Another operator has to agree", body = WaitingView,
            headers(("Idempotency-Replayed" = String, description = "true, if it was asked for before")))))]
pub(crate) async fn restore_settings(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(version): Path<String>,
    request: Idempotent<RestoreSettings>,
) -> Result<(StatusCode, HeaderMap, Json<SettingsAnswer>), Problem> {
    let body = &request.body;
    let change = Change {
        base_version: body.base_version,
        wish: Wish::Restore(path("version", &version)?),
        reason: &body.reason,
    };
    make(&app, (&caller, &request), &change).await
}
