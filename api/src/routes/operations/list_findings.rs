//! `GET /api/operations/findings`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use db::models::{Finding, FindingFilter, Severity};
use domain::operations::{FindingPlace, findings_page};
use kernel::FindingId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of findings, the worst first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingPage {
    items: Vec<FindingView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<String>,
}

/// A difference or a condition that an operator should know of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingView {
    id: Uuid,
    #[schema(example = "orders.stuck")]
    kind: String,
    /// `critical`, `warning` or `info`.
    #[schema(value_type = String, example = "warning")]
    severity: Severity,
    /// What it is about.
    #[schema(example = "order:01931d3c-7d5e-7c8a-9b52-5f1a2c3d4e5f")]
    subject: String,
    /// Depends on the kind.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    /// The metric that shows it.
    metric: String,
    /// What to do.
    action: String,
    /// What to do, in Chinese; null where an older release found it.
    action_zh: Option<String>,
    times_seen: i32,
    first_seen_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    /// `worker` where the condition went away by itself.
    resolved_by: Option<String>,
    resolved_reason: Option<String>,
}

/// Lists findings, the worst first and of these the newest, where not asked otherwise.
#[utoipa::path(get, path = "/api/operations/findings", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "`open` (where not given), `resolved` or `all`"),
        ("kind" = Option<String>, Query, description = "Only this kind"),
        ("severity" = Option<String>, Query, description = "Only `critical`, `warning` or `info`"),
        ("subject" = Option<String>, Query, description = "Only about this"),
        ("since" = Option<DateTime<Utc>>, Query, description = "Only first seen then or later"),
        ("until" = Option<DateTime<Utc>>, Query, description = "Only first seen before"),
        ("order" = Option<String>, Query, description = "Of those of one severity the `newest` (where not given) or the `oldest` first"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = FindingPage)))]
pub(crate) async fn list_findings(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<FindingPage>, Problem> {
    let state: Option<Shown> = query.take("state")?;
    let (kind, subject): (Option<String>, Option<String>) = (query.take("kind")?, query.take("subject")?);
    let filter = FindingFilter {
        open: state.unwrap_or(Shown(Some(true))).0,
        kind: kind.as_deref(),
        severity: query.take("severity")?,
        subject: subject.as_deref(),
        first_seen: query.take_period()?,
        oldest_first: query.take_oldest_first()?,
    };
    let after: Option<FindingPlace> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut findings = findings_page(&app.pool, filter, after, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut findings, limit, |finding| {
        let place = FindingPlace {
            severity: finding.severity,
            id: FindingId(finding.id),
        };
        place.to_string()
    });
    let items = findings.into_iter().map(FindingView::from).collect();
    Ok(Json(FindingPage { items, next_cursor }))
}

/// Which findings: open, resolved, or both.
struct Shown(Option<bool>);

impl std::str::FromStr for Shown {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "open" => Ok(Self(Some(true))),
            "resolved" => Ok(Self(Some(false))),
            "all" => Ok(Self(None)),
            _ => Err(()),
        }
    }
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        Self {
            id: finding.id,
            kind: finding.kind,
            severity: finding.severity,
            subject: finding.subject,
            detail: finding.detail,
            metric: finding.metric,
            action: finding.action,
            action_zh: finding.action_zh,
            times_seen: finding.times_seen,
            first_seen_at: finding.first_seen_at,
            last_seen_at: finding.last_seen_at,
            resolved_at: finding.resolved_at,
            resolved_by: finding.resolved_by,
            resolved_reason: finding.resolved_reason,
        }
    }
}
