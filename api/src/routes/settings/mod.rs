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
use domain::operations::Wanted;
use domain::principals::Principal;
use domain::runtime_settings::{self, Difference, Edit, Wish};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::approvals::{WaitingView, wait};
use super::{made, mark};
use crate::App;
use crate::extract::Idempotent;
use crate::problem::Problem;
use crate::rules::settings_judge;

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

/// The answer, with 200, 201 or 202.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SettingsAnswer {
    /// It is in force.
    Changed(SettingVersionView),
    /// Another operator has to agree.
    Waiting(WaitingView),
}

/// What is wanted, on which version, and why.
struct Change<'a> {
    base_version: i64,
    wish: Wish<'a>,
    reason: &'a String,
}

/// Makes a version, or has it wait for another operator. This process goes by it at once, others within seconds.
async fn make<T>(
    app: &App,
    (caller, request): (&Principal, &Idempotent<T>),
    change: &Change<'_>,
) -> Result<(StatusCode, HeaderMap, Json<SettingsAnswer>), Problem> {
    let base_version = change.base_version;
    if app.approvals.settings {
        let wanted = match change.wish {
            Wish::Change(changes) => Wanted::ChangeSettings {
                base_version,
                changes: changes.clone(),
            },
            Wish::Restore(restore) => Wanted::RestoreSettings { base_version, restore },
        };
        let (headers, waiting) = wait(app, (caller, request), (&wanted, None), change.reason).await?;
        return Ok((StatusCode::ACCEPTED, headers, Json(SettingsAnswer::Waiting(waiting))));
    }
    let (mark, author) = (mark(caller, request), caller.actor());
    let edit = Edit {
        author: &author,
        author_name: &caller.name,
        reason: change.reason,
        base_version: Some(base_version),
        mark: Some(&mark),
    };
    let (judge, now) = (settings_judge(app), app.clock.now());
    let changed = runtime_settings::change(&app.pool, &*app.ids, &judge, (&edit, change.wish), now).await?;
    // it is committed: where this look fails, the next one sees it
    let _seen = app.look_at_settings().await;
    let location = format!("/api/settings/versions/{}", changed.version.version);
    let view = SettingVersionView::of(changed.version, changed.differences);
    Ok(made(changed.replayed, Some(location), SettingsAnswer::Changed(view)))
}
