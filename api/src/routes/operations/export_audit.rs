//! `GET /api/operations/audit.csv`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use db::models::{AuditFilter, AuditLine};
use domain::audit_trail;

use super::list_audit::filter;
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::csv::{self, Lines, Pages};

/// Rows read at a time: a line may hold a whole body.
const ROWS: i64 = 50;

const HEAD: [&str; 13] = [
    "seq",
    "at",
    "principal",
    "principal_name",
    "address",
    "request_id",
    "action",
    "target",
    "step",
    "result",
    "asked",
    "changes",
    "hash",
];

/// Where the export stands.
struct Export {
    app: Arc<App>,
    filter: AuditFilter,
    place: Option<i64>,
}

/// The same rows as the list, as a table for spreadsheets (RFC 4180), in one order from end to end. Beyond 300,000 lines the
/// connection is closed before the end: narrow it by `since` and `until`.
#[utoipa::path(get, path = "/api/operations/audit.csv", tag = "operations",
    params(
        ("principal" = Option<String>, Query, description = "Only by `api_key:<id>` or `operator:<name>`"),
        ("action" = Option<String>, Query, description = "Only this operation, such as `create_order`"),
        ("request_id" = Option<String>, Query, description = "Only this request"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only what was asked for then or later"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only what was asked for before"),
        ("order" = Option<String>, Query, description = "`newest` (where not given) or `oldest` first")),
    responses((status = 200, description = "A table", body = String, content_type = "text/csv")))]
pub(crate) async fn export_audit(State(app): State<Arc<App>>, mut query: QueryParams) -> Result<Response, Problem> {
    let filter = filter(&mut query)?;
    query.finish()?;
    let export = Export {
        app,
        filter,
        place: None,
    };
    csv::answer("audit", &HEAD, export).await
}

impl Pages for Export {
    async fn next(&mut self) -> Result<Lines, Problem> {
        let rows = audit_trail::page(&self.app.pool, &self.filter, self.place, ROWS).await?;
        self.place = rows.last().map(|row| row.seq).or(self.place);
        Lines::of_up_to(ROWS, rows, line)
    }
}

/// Nearly all of a line was written by whoever asked.
fn line(line: AuditLine) -> Result<Vec<String>, Problem> {
    let written = |text: Option<String>| csv::harmless(text.as_deref().unwrap_or_default());
    Ok(vec![
        line.seq.to_string(),
        csv::time(line.at),
        csv::harmless(&line.principal),
        csv::harmless(&line.principal_name),
        written(line.address),
        written(line.request_id),
        csv::harmless(&line.action),
        written(line.target),
        written(line.step),
        csv::harmless(&line.result),
        written(line.asked.map(|asked| asked.to_string())),
        csv::harmless(&line.changes.to_string()),
        hex::encode(line.hash),
    ])
}
