//! `GET /api/operations/audit`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use db::models::{AuditFilter, AuditLine};
use domain::audit_trail;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;

/// A page of the audit trail, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage {
    items: Vec<AuditLineView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<i64>,
}

/// What somebody did: each transaction of a request or command that writes, and each such request that was refused.
#[derive(Debug, Serialize, ToSchema)]
struct AuditLineView {
    /// Its place in the chain.
    seq: i64,
    /// When it was asked for.
    at: DateTime<Utc>,
    /// `api_key:<id>` or `operator:<name>`.
    principal: String,
    /// The key's or the operator's name at that time.
    principal_name: String,
    /// The client's address, where it is known.
    address: Option<String>,
    /// The `X-Request-Id` of the request.
    request_id: Option<String>,
    /// The operation, or `cli.` and the command.
    #[schema(example = "create_order")]
    action: String,
    #[schema(example = "POST /api/orders")]
    target: Option<String>,
    /// The transaction that carries the line; null where none did.
    step: Option<String>,
    /// `committed`; without a transaction `ok`, or the code of the problem.
    #[schema(example = "committed")]
    result: String,
    /// The body, with everything masked that may be secret.
    #[schema(value_type = Option<Object>)]
    asked: Option<Value>,
    /// What became of which objects.
    #[schema(value_type = Vec<Object>)]
    changes: Value,
    /// SHA-256 over the hash of the line before and this line, hexadecimal.
    hash: String,
}

/// Lists the audit trail, newest first where not asked otherwise. A line can be seen here some seconds after it was written, once it is sealed.
#[utoipa::path(get, path = "/api/operations/audit", tag = "operations",
    params(
        ("principal" = Option<String>, Query, description = "Only by `api_key:<id>` or `operator:<name>`"),
        ("action" = Option<String>, Query, description = "Only this operation, such as `create_order`"),
        ("request_id" = Option<String>, Query, description = "Only this request"),
        ("since" = Option<DateTime<Utc>>, Query, description = "Only what was asked for then or later"),
        ("until" = Option<DateTime<Utc>>, Query, description = "Only what was asked for before"),
        ("order" = Option<String>, Query, description = "`newest` (where not given) or `oldest` first"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<i64>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = AuditPage)))]
pub(crate) async fn list_audit(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<AuditPage>, Problem> {
    let filter = filter(&mut query)?;
    let place: Option<i64> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut lines = audit_trail::page(&app.pool, &filter, place, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut lines, limit, |line| line.seq);
    let items = lines.into_iter().map(AuditLineView::from).collect();
    Ok(Json(AuditPage { items, next_cursor }))
}

/// Takes the filters of the trail out of the query.
pub(super) fn filter(query: &mut QueryParams) -> Result<AuditFilter, Problem> {
    Ok(AuditFilter {
        principal: query.take("principal")?,
        action: query.take("action")?,
        request_id: query.take("request_id")?,
        at: query.take_period()?,
        oldest_first: query.take_oldest_first()?,
    })
}

impl From<AuditLine> for AuditLineView {
    fn from(line: AuditLine) -> Self {
        Self {
            seq: line.seq,
            at: line.at,
            principal: line.principal,
            principal_name: line.principal_name,
            address: line.address,
            request_id: line.request_id,
            action: line.action,
            target: line.target,
            step: line.step,
            result: line.result,
            asked: line.asked,
            changes: line.changes,
            hash: hex::encode(line.hash),
        }
    }
}
