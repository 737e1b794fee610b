//! Findings: conditions that wait for an operator. One open row per kind and subject, however often it is seen.

mod advice;
mod kind;

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{Finding, NewFinding, Severity};
use kernel::IdGen;
use serde_json::Value;

pub use kind::FindingKind;

use crate::{DomainError, WORKER};

/// Stores what was found, counts it, and logs it when it is new, as loud as it matters.
///
/// # Errors
/// When the row cannot be written.
pub async fn record_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    kind: FindingKind,
    subject: &str,
    detail: Value,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let (action, action_zh) = kind.action();
    let finding = NewFinding {
        id: ids.uuid(),
        kind: kind.word(),
        severity: kind.severity(),
        subject,
        detail,
        metric: &kind.metric(),
        action,
        action_zh,
    };
    if finding.record(conn, now).await? {
        metrics::counter!("switchyard_findings_total", "kind" => kind.word()).increment(1);
        log(&finding);
    }
    Ok(())
}

fn log(finding: &NewFinding<'_>) {
    let NewFinding {
        kind, subject, action, ..
    } = *finding;
    let detail = finding.detail.to_string();
    match finding.severity {
        Severity::Critical => tracing::error!(kind, subject, detail, action, "finding"),
        Severity::Warning => tracing::warn!(kind, subject, detail, action, "finding"),
        Severity::Info => tracing::info!(kind, subject, detail, action, "finding"),
    }
}

/// Closes every finding of a kind but those about `subjects`: a proof looked at all there is, and only they still hold.
///
/// # Errors
/// When the rows cannot be written.
pub async fn clear_others_in_tx(
    conn: &mut Conn,
    kind: FindingKind,
    subjects: &[String],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let resolved = Finding::resolve_others(conn, kind.word(), subjects, WORKER, now).await?;
    if resolved > 0 {
        tracing::info!(kind = kind.word(), resolved, "findings resolved");
    }
    Ok(())
}

/// Closes a finding whose condition no longer holds.
///
/// # Errors
/// When the row cannot be written.
pub async fn clear_in_tx(
    conn: &mut Conn,
    kind: FindingKind,
    subject: &str,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if Finding::resolve(conn, kind.word(), subject, WORKER, now).await? {
        tracing::info!(kind = kind.word(), subject, "finding resolved");
    }
    Ok(())
}

/// Closes findings of one kind about these subjects.
///
/// # Errors
/// When the rows cannot be written.
pub(crate) async fn clear_many_in_tx(
    conn: &mut Conn,
    kind: FindingKind,
    subjects: &[String],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let resolved = Finding::resolve_many(conn, kind.word(), subjects, WORKER, now).await?;
    if resolved > 0 {
        tracing::info!(kind = kind.word(), resolved, "findings resolved");
    }
    Ok(())
}
