//! `PUT /api/settings`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use domain::runtime_settings::{Values, Wish};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::approvals::WaitingView;
use super::{Change, SettingVersionView, SettingsAnswer, make};
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;

/// Settings as they are to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateSettings {
    /// The version that you saw: `version` of `GET /api/settings`.
    #[schema(example = 7)]
    base_version: i64,
    /// Values by the names of settings: whole numbers, or amounts as text. Null goes back to what the configuration says; what is not
    /// named stays.
    #[schema(value_type = Object, example = json!({ "orders.energy_max": 5_000_000, "payouts.trx.user_day": "100" }))]
    changes: Values,
    /// Why: 1 to 500 characters.
    #[schema(example = "the pool is short until Friday")]
    reason: String,
}

/// Changes settings, within seconds in every process. What was promised before keeps its terms.
///
/// The whole is checked as at a start: a value that does not go with the others, or with the configuration, is refused. Where
/// somebody else changed settings since `base_version`, nothing is changed. With `approvals.settings` it waits, with 202, until another
/// operator agrees.
#[utoipa::path(put, path = "/api/settings", tag = "settings", request_body = UpdateSettings,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "In force", body = SettingVersionView),
        (status = 200, description = "Changed before", body = SettingVersionView,
            headers(("Idempotency-Replayed" = String, description = "true"))),
        (status = 202, description = "Another operator has to agree", body = WaitingView,
            headers(("Idempotency-Replayed" = String, description = "true, if it was asked for before")))))]
pub(crate) async fn update_settings(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<UpdateSettings>,
) -> Result<(StatusCode, HeaderMap, Json<SettingsAnswer>), Problem> {
    let body = &request.body;
    let change = Change {
        base_version: body.base_version,
        wish: Wish::Change(&body.changes),
        reason: &body.reason,
    };
    make(&app, (&caller, &request), &change).await
}
