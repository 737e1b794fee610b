//! Findings: listed, and closed by hand.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use db::models::{Action, Finding, FindingFilter, Severity};
use db::{Pool, acquire, run_tx};
use kernel::{FindingId, IdGen};
use serde_json::json;

use super::{Command, Done, Instruction};
use crate::DomainError;

/// A place in the list of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingPlace {
    /// How much the finding at this place matters.
    pub severity: Severity,
    /// Its id.
    pub id: FindingId,
}

impl fmt::Display for FindingPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.severity, self.id)
    }
}

impl FromStr for FindingPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (severity, id) = text.split_once(',').ok_or("no place in this list")?;
        Ok(Self {
            severity: severity.parse()?,
            id: id.parse().map_err(|_| "no place in this list")?,
        })
    }
}

/// Findings, the worst first and of these the newest, or the oldest where the filter says so, after a place.
///
/// # Errors
/// When the database cannot be asked.
pub async fn findings_page(
    pool: &Pool,
    filter: FindingFilter<'_>,
    after: Option<FindingPlace>,
    limit: i64,
) -> Result<Vec<Finding>, DomainError> {
    let mut conn = acquire(pool).await?;
    let after = after.map(|place| (place.severity, place.id.0));
    Ok(Finding::page(&mut conn, filter, after, limit).await?)
}

/// Closes a finding by hand. If its condition holds on, the next look of whoever found it opens another.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::AlreadyResolved`], a reason that is missing or cannot be kept, or a database
/// failure.
pub async fn resolve_finding(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    id: FindingId,
    now: DateTime<Utc>,
) -> Result<(Finding, Done), DomainError> {
    let filter = json!({ "object_id": id });
    let command = Command::new(ids, Action::FindingsResolve, instruction, filter, now)?;
    run_tx(pool, "resolve_finding", async |conn| {
        let found = Finding::find(conn, id.0)
            .await?
            .ok_or(DomainError::NotFound("finding"))?;
        if instruction.dry_run {
            let open = i64::from(found.resolved_at.is_none());
            return Ok((found, Done::counted(open)));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok((found, done));
        }
        let reason = instruction.reason.as_deref().ok_or(DomainError::BadReason)?;
        let resolved = Finding::resolve_by_hand(conn, id.0, (&instruction.actor, reason), now)
            .await?
            .ok_or(DomainError::AlreadyResolved)?;
        let object = json!({
            "kind": resolved.kind,
            "object_id": id,
            "subject": resolved.subject,
            "severity": resolved.severity,
            "detail": resolved.detail,
            "times_seen": resolved.times_seen,
        });
        let done = command.done_in_tx(conn, 1, vec![object], Vec::new()).await?;
        Ok((resolved, done))
    })
    .await
}
