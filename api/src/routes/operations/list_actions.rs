//! `GET /api/operations/actions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use db::models::{Action, ActionFilter, OperatorAction};
use domain::operations::actions_page;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of the record, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActionPage {
    items: Vec<ActionView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<Uuid>,
}

/// Something that was done by hand.
#[derive(Debug, Serialize, ToSchema)]
struct ActionView {
    id: Uuid,
    at: DateTime<Utc>,
    /// `api_key:<id>` or `operator:<name>`.
    actor: String,
    /// The key's or the operator's name at that time.
    actor_name: String,
    /// `jobs.redrive`, `jobs.drop`, `stuck.redrive` or `findings.resolve`.
    #[schema(value_type = String, example = "jobs.drop")]
    action: Action,
    /// What was asked for.
    #[schema(value_type = Object)]
    filter: serde_json::Value,
    reason: Option<String>,
    /// How many objects fitted.
    matched: i64,
    /// How many of them were changed.
    affected: i64,
    /// Each of these, as it was before.
    #[schema(value_type = Vec<Object>)]
    objects: serde_json::Value,
}

/// Lists what was done by hand, newest first.
#[utoipa::path(get, path = "/api/operations/actions", tag = "operations",
    params(
        ("action" = Option<String>, Query, description = "Only `jobs.redrive`, `jobs.drop`, `stuck.redrive` or `findings.resolve`"),
        ("actor" = Option<String>, Query, description = "Only by `api_key:<id>` or `operator:<name>`"),
        ("object_id" = Option<String>, Query, description = "Only what changed the object with this id"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ActionPage)))]
pub(crate) async fn list_actions(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<ActionPage>, Problem> {
    let (actor, object_id): (Option<String>, Option<String>) = (query.take("actor")?, query.take("object_id")?);
    let filter = ActionFilter {
        action: query.take("action")?,
        actor: actor.as_deref(),
        object_id: object_id.as_deref(),
    };
    let before: Option<Uuid> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut actions = actions_page(&app.pool, filter, before, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut actions, limit, |action| action.id);
    let items = actions.into_iter().map(ActionView::from).collect();
    Ok(Json(ActionPage { items, next_cursor }))
}

impl From<OperatorAction> for ActionView {
    fn from(action: OperatorAction) -> Self {
        Self {
            id: action.id,
            at: action.at,
            actor: action.actor,
            actor_name: action.actor_name,
            action: action.action,
            filter: action.filter,
            reason: action.reason,
            matched: action.matched,
            affected: action.affected,
            objects: action.objects,
        }
    }
}
