//! `GET /api/operations/stuck`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::operations::{Stuck, StuckFilter, StuckKind, stuck_page};
use jobs::JobKind;
use jobs::operate::{Place, Standing};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of stuck objects, those first that have waited longest.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StuckPage {
    items: Vec<StuckView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<String>,
}

/// An object that waits longer than it should.
#[derive(Debug, Serialize, ToSchema)]
struct StuckView {
    /// `order`, `transaction`, `delegation`, `payout`, `wallet` or `network`.
    #[schema(value_type = String, example = "order")]
    kind: StuckKind,
    /// Its id; of a transaction, its txid.
    object_id: String,
    /// Its own state, or a word for what is wrong: `isolated`, `unread`, `halted`, `behind`, `unheard`.
    #[schema(example = "pending")]
    state: String,
    since: DateTime<Utc>,
    /// What it said last.
    reason: Option<String>,
    network: Option<String>,
    /// The kind of job that moves it; null if no job can.
    #[schema(value_type = Option<String>, example = "orders.delegate")]
    job: Option<JobKind>,
    /// Where that job stands; null if nobody asked for it.
    #[schema(value_type = Option<String>, example = "dead")]
    job_state: Option<Standing>,
    /// Why that job failed last.
    job_code: Option<String>,
    /// What to do.
    action: &'static str,
    /// The same in Chinese.
    action_zh: &'static str,
}

/// Lists objects that wait longer than they should, those first that have waited longest.
#[utoipa::path(get, path = "/api/operations/stuck", tag = "operations",
    params(
        ("kind" = Option<String>, Query, description = "Only `order`, `transaction`, `delegation`, `payout`, `wallet` or `network`"),
        ("object_id" = Option<String>, Query, description = "Only this one"),
        ("state" = Option<String>, Query, description = "Only in this state"),
        ("network" = Option<String>, Query, description = "Only on this network"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = StuckPage)))]
pub(crate) async fn list_stuck(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<StuckPage>, Problem> {
    let filter = StuckFilter {
        kind: query.take("kind")?,
        object_id: query.take("object_id")?,
        state: query.take("state")?,
        network: query.take("network")?,
    };
    let after: Option<Place> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut stuck = stuck_page(
        &app.pool,
        &filter,
        after.as_ref(),
        i64::from(limit) + 1,
        app.clock.now(),
    )
    .await?;
    let next_cursor = cut(&mut stuck, limit, |stuck| stuck.place().to_string());
    let items = stuck.into_iter().map(StuckView::from).collect();
    Ok(Json(StuckPage { items, next_cursor }))
}

impl From<Stuck> for StuckView {
    fn from(stuck: Stuck) -> Self {
        let (action, action_zh) = stuck.action();
        Self {
            kind: stuck.kind,
            object_id: stuck.object_id,
            state: stuck.state,
            since: stuck.since,
            reason: stuck.reason,
            network: stuck.network,
            job: stuck.job_kind,
            job_state: stuck.job_state,
            job_code: stuck.job_code,
            action,
            action_zh,
        }
    }
}
