//! `/api/settings`: what operators change while everything runs, and who changed what.

pub(crate) mod list;
pub(crate) mod restore;
pub(crate) mod update;
pub(crate) mod version;
pub(crate) mod versions;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use db::models::SettingVersion;
use domain::runtime_settings::{Difference, Edit, Values, Wish, change};
use serde::Serialize;
use serde_json::Value;
use settings::{Role, RuntimeSettings};
use utoipa::ToSchema;

use crate::App;
use crate::problem::Problem;
use crate::routes::made;

/// A value: a whole number, or an amount as a decimal string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SettingValue {
    Integer(i64),
    Amount(String),
}

impl From<&Value> for SettingValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::Amount(text.clone()),
            other => other
                .as_i64()
                .map_or_else(|| Self::Amount(other.to_string()), Self::Integer),
        }
    }
}

/// A version of the settings, and what it changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingVersionView {
    #[schema(example = 7)]
    version: i64,
    /// `operator:<id or name>`.
    author: String,
    /// His name at that time.
    author_name: String,
    reason: String,
    /// The version that this one went back to, 0 for the configuration alone; null for one that did not.
    restored: Option<i64>,
    created_at: DateTime<Utc>,
    /// In what it differs from the version before.
    changes: Vec<SettingChangeView>,
}

/// One setting that a version changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingChangeView {
    #[schema(example = "orders.energy_max")]
    name: String,
    /// Null: as the configuration says.
    before: Option<SettingValue>,
    /// Null: as the configuration says.
    after: Option<SettingValue>,
}

impl SettingVersionView {
    fn of(version: SettingVersion, differences: Vec<Difference>) -> Self {
        Self {
            version: version.version,
            author: version.author,
            author_name: version.author_name,
            reason: version.reason,
            restored: version.restored,
            created_at: version.created_at,
            changes: differences.into_iter().map(SettingChangeView::from).collect(),
        }
    }
}

impl From<Difference> for SettingChangeView {
    fn from(difference: Difference) -> Self {
        Self {
            name: difference.name,
            before: difference.before.as_ref().map(SettingValue::from),
            after: difference.after.as_ref().map(SettingValue::from),
        }
    }
}

/// Makes a version. This process goes by it at once, others within seconds.
async fn make(
    app: &App,
    edit: &Edit<'_>,
    wish: Wish<'_>,
) -> Result<(StatusCode, HeaderMap, Json<SettingVersionView>), Problem> {
    let judge = |values: &Values| RuntimeSettings::judge(values, &app.settings, Role::Api);
    let changed = change(&app.pool, &*app.ids, &judge, (edit, wish), app.clock.now()).await?;
    // it is committed: where this look fails, the next one sees it
    let _seen = app.look_at_settings().await;
    let location = format!("/api/settings/versions/{}", changed.version.version);
    let view = SettingVersionView::of(changed.version, changed.differences);
    Ok(made(changed.replayed, Some(location), view))
}
