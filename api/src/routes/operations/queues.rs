//! `GET /api/operations/queues`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use db::models::Switch;
use domain::operations::{paused_queues, queues};
use jobs::QueueFigures;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::problem::Problem;

/// How full the queues are, as PostgreSQL says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueuesView {
    /// When this was so.
    at: DateTime<Utc>,
    queues: Vec<QueueView>,
}

/// One queue.
#[derive(Debug, Serialize, ToSchema)]
struct QueueView {
    #[schema(example = "orders")]
    queue: String,
    /// While it is, none of its jobs begins.
    paused: bool,
    /// Why and by whom; null where it is not.
    paused_reason: Option<String>,
    paused_by: Option<String>,
    paused_since: Option<DateTime<Utc>>,
    /// All kinds together.
    #[serde(flatten)]
    total: FiguresView,
    kinds: Vec<KindView>,
}

/// One kind of job.
#[derive(Debug, Serialize, ToSchema)]
struct KindView {
    #[schema(example = "orders.delegate")]
    kind: String,
    #[serde(flatten)]
    figures: FiguresView,
}

/// How many jobs stand where.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
struct FiguresView {
    /// Due and not begun.
    due: i64,
    /// Begun and not ended.
    running: i64,
    /// For later: a retry, or asked for so.
    later: i64,
    /// Waiting for an operator.
    dead: i64,
    /// For how many seconds the oldest due job has been due; 0 without one.
    oldest_due_s: i64,
}

/// Shows how full each queue is, kind by kind.
#[utoipa::path(get, path = "/api/operations/queues", tag = "operations",
    responses((status = 200, description = "The queues", body = QueuesView)))]
pub(crate) async fn list_queues(State(app): State<Arc<App>>) -> Result<Json<QueuesView>, Problem> {
    let at = app.clock.now();
    let rows = queues(&app.pool, at).await?;
    let paused = paused_queues(&app.pool).await?;
    let of = |rows: &[QueueFigures]| {
        let queue = &rows.first()?.queue;
        let paused = paused.iter().find(|(paused, _)| paused.word() == queue);
        QueueView::of(rows, paused.map(|(_, switch)| switch))
    };
    let queues = rows.chunk_by(|a, b| a.queue == b.queue).filter_map(of).collect();
    Ok(Json(QueuesView { at, queues }))
}

impl QueueView {
    fn of(rows: &[QueueFigures], paused: Option<&Switch>) -> Option<Self> {
        let kinds: Vec<KindView> = rows.iter().map(KindView::of).collect();
        Some(Self {
            queue: rows.first()?.queue.clone(),
            paused: paused.is_some(),
            paused_reason: paused.map(|switch| switch.reason.clone()),
            paused_by: paused.map(|switch| switch.actor.clone()),
            paused_since: paused.map(|switch| switch.updated_at),
            total: kinds
                .iter()
                .fold(FiguresView::default(), |sum, kind| sum.and(kind.figures)),
            kinds,
        })
    }
}

impl KindView {
    fn of(row: &QueueFigures) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds are shown")]
        let oldest_due_s = row.oldest_due_seconds as i64;
        Self {
            kind: row.kind.clone(),
            figures: FiguresView {
                due: row.due,
                running: row.running,
                later: row.later,
                dead: row.dead,
                oldest_due_s,
            },
        }
    }
}

impl FiguresView {
    fn and(self, other: Self) -> Self {
        Self {
            due: self.due + other.due,
            running: self.running + other.running,
            later: self.later + other.later,
            dead: self.dead + other.dead,
            oldest_due_s: self.oldest_due_s.max(other.oldest_due_s),
        }
    }
}
