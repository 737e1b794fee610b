//! `PUT /api/settings`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use domain::runtime_settings::{Edit, Values, Wish};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{SettingVersionView, make};
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::mark;

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
/// somebody else changed settings since `base_version`, nothing is changed.
#[utoipa::path(put, path = "/api/settings", tag = "settings", request_body = UpdateSettings,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "In force", body = SettingVersionView),
        (status = 200, description = "Changed before", body = SettingVersionView)))]
pub(crate) async fn update_settings(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<UpdateSettings>,
) -> Result<(StatusCode, HeaderMap, Json<SettingVersionView>), Problem> {
    let (mark, author, body) = (mark(&caller, &request), caller.actor(), request.body);
    let edit = Edit {
        author: &author,
        author_name: &caller.name,
        reason: &body.reason,
        base_version: Some(body.base_version),
        mark: Some(&mark),
    };
    make(&app, &edit, Wish::Change(&body.changes)).await
}
