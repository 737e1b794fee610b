//! `GET /api/operations/jobs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::operations::jobs_page;
use jobs::operate::{JobFilter, JobRow, Place, Standing};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobPage {
    items: Vec<JobView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<String>,
}

/// Something still to be done.
#[derive(Debug, Serialize, ToSchema)]
struct JobView {
    /// What is to be done.
    #[schema(example = "orders.delegate")]
    kind: String,
    /// To what.
    object_id: String,
    #[schema(example = "orders")]
    queue: String,
    /// `dead`, `due`, `later` or `running`.
    #[schema(value_type = String, example = "dead")]
    state: Standing,
    /// Whether it waits, or runs, longer than it should.
    overdue: bool,
    /// Since when: its death, the beginning of its run, or the time it was or will be due.
    since: DateTime<Utc>,
    /// How often it was tried since it last went well.
    runs: i32,
    next_run_at: DateTime<Utc>,
    /// Why it failed last, or what it waits for.
    code: Option<String>,
    /// Why it failed last, in words.
    error: Option<String>,
    created_at: DateTime<Utc>,
}

/// Lists jobs, those first that have stood longest, where not asked otherwise.
#[utoipa::path(get, path = "/api/operations/jobs", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "Only `dead`, `due`, `later` or `running`"),
        ("overdue" = Option<bool>, Query, description = "Only those that wait, or run, longer than they should"),
        ("kind" = Option<String>, Query, description = "Only this kind"),
        ("queue" = Option<String>, Query, description = "Only this queue"),
        ("object_id" = Option<String>, Query, description = "Only about this object"),
        ("code" = Option<String>, Query, description = "Only those that failed last with this code"),
        ("since" = Option<DateTime<Utc>>, Query, description = "Only those that have stood so since then or later"),
        ("until" = Option<DateTime<Utc>>, Query, description = "Only those that have stood so since before"),
        ("order" = Option<String>, Query, description = "Those that have stood longest (`oldest`, where not given) or shortest (`newest`) first"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = JobPage)))]
pub(crate) async fn list_jobs(State(app): State<Arc<App>>, mut query: QueryParams) -> Result<Json<JobPage>, Problem> {
    let filter = JobFilter {
        standing: query.take("state")?,
        overdue: query.take("overdue")?.unwrap_or(false),
        kind: query.take("kind")?,
        queue: query.take("queue")?,
        object_id: query.take("object_id")?,
        code: query.take("code")?,
        since: query.take_period()?,
        newest_first: query.take_newest_first()?,
    };
    let after: Option<Place> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut jobs = jobs_page(
        &app.pool,
        &filter,
        after.as_ref(),
        i64::from(limit) + 1,
        app.clock.now(),
    )
    .await?;
    let next_cursor = cut(&mut jobs, limit, |job| job.place().to_string());
    let items = jobs.into_iter().map(JobView::from).collect();
    Ok(Json(JobPage { items, next_cursor }))
}

impl From<JobRow> for JobView {
    fn from(job: JobRow) -> Self {
        Self {
            kind: job.kind,
            object_id: job.object_id,
            queue: job.queue,
            state: job.standing,
            overdue: job.overdue,
            since: job.since,
            runs: job.runs,
            next_run_at: job.next_run_at,
            code: job.last_error_code,
            error: job.last_error,
            created_at: job.created_at,
        }
    }
}
