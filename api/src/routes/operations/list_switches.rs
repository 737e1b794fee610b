//! `GET /api/operations/switches`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use db::models::Switch;
use domain::operations::switches;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::problem::Problem;

/// What operators can stop.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SwitchList {
    items: Vec<SwitchView>,
}

/// A switch. On, it stops something; what runs goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SwitchView {
    /// `maintenance`: no new orders. `payouts`: none is taken or signed. `sweeps`: nothing is collected.
    #[schema(example = "maintenance")]
    name: &'static str,
    enabled: bool,
    /// Why it was thrown last; null where it never was.
    reason: Option<String>,
    /// `operator:<id or name>`.
    actor: Option<String>,
    updated_at: Option<DateTime<Utc>>,
}

impl SwitchView {
    pub(super) fn new(name: &'static str, thrown: Option<Switch>) -> Self {
        Self {
            name,
            enabled: thrown.as_ref().is_some_and(|switch| switch.enabled),
            updated_at: thrown.as_ref().map(|switch| switch.updated_at),
            actor: thrown.as_ref().map(|switch| switch.actor.clone()),
            reason: thrown.map(|switch| switch.reason),
        }
    }
}

/// Lists switches.
#[utoipa::path(get, path = "/api/operations/switches", tag = "operations",
    responses((status = 200, description = "All", body = SwitchList)))]
pub(crate) async fn list_switches(State(app): State<Arc<App>>) -> Result<Json<SwitchList>, Problem> {
    let items = switches(&app.pool).await?.into_iter();
    let items = items.map(|(name, thrown)| SwitchView::new(name, thrown)).collect();
    Ok(Json(SwitchList { items }))
}
