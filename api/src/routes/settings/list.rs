//! `GET /api/settings`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::runtime_settings::{InForce, in_force};
use serde::Serialize;
use settings::{RuntimeSetting, Settings};
use utoipa::ToSchema;

use super::SettingValue;
use crate::App;
use crate::problem::Problem;

/// The settings that can be changed while everything runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingList {
    /// The version in force, the `base_version` of a change; 0: the configuration alone.
    #[schema(example = 7)]
    version: i64,
    items: Vec<SettingView>,
}

/// One of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingView {
    /// Its key in the configuration.
    #[schema(example = "orders.energy_max")]
    name: &'static str,
    title: &'static str,
    /// In Chinese.
    title_zh: &'static str,
    /// `integer`, or `amount`: a decimal string.
    #[schema(example = "integer")]
    kind: &'static str,
    #[schema(example = "energy")]
    unit: &'static str,
    /// In Chinese.
    #[schema(example = "能量")]
    unit_zh: &'static str,
    /// The least that it may be, whatever the others are.
    min: SettingValue,
    /// The most.
    max: SettingValue,
    /// In force.
    value: SettingValue,
    /// What the configuration of this process says.
    configured: SettingValue,
    /// `configuration` or `version`: where the value in force is from.
    #[schema(example = "version")]
    source: &'static str,
    /// The version that gave the value in force; null where it is the configuration's.
    version: Option<i64>,
    /// `operator:<id or name>`.
    author: Option<String>,
    /// His name at that time.
    author_name: Option<String>,
    set_at: Option<DateTime<Utc>>,
}

impl SettingView {
    fn of(setting: &'static RuntimeSetting, configuration: &Settings, now: &InForce) -> Self {
        let configured = SettingValue::from(&setting.value(configuration));
        let given = now.values.get(setting.name).map(SettingValue::from);
        let by = now.by.iter().find(|by| by.name == setting.name);
        let (unit, unit_zh) = setting.unit.words();
        let bound = |bound| SettingValue::from(&setting.kind.written(bound));
        Self {
            name: setting.name,
            title: setting.title,
            title_zh: setting.title_zh,
            kind: setting.kind.word(),
            unit,
            unit_zh,
            min: bound(setting.min),
            max: bound(setting.max),
            source: if given.is_some() { "version" } else { "configuration" },
            value: given.unwrap_or_else(|| configured.clone()),
            configured,
            version: by.map(|by| by.version),
            author: by.map(|by| by.author.clone()),
            author_name: by.map(|by| by.author_name.clone()),
            set_at: by.map(|by| by.at),
        }
    }
}

/// Lists the settings that can be changed while everything runs, with their bounds, and who gave each its value.
#[utoipa::path(get, path = "/api/settings", tag = "settings", responses((status = 200, description = "All", body = SettingList)))]
pub(crate) async fn list_settings(State(app): State<Arc<App>>) -> Result<Json<SettingList>, Problem> {
    let now = in_force(&app.pool).await?;
    let view = |setting: &'static RuntimeSetting| SettingView::of(setting, &app.settings, &now);
    let items = RuntimeSetting::ALL.iter().map(view).collect();
    Ok(Json(SettingList {
        version: now.version,
        items,
    }))
}
