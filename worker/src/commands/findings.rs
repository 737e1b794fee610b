//! `findings`: what waits for an operator.

use chrono::{DateTime, Utc};
use db::Pool;
use db::models::{Finding, FindingFilter, Severity};
use domain::operations::{findings_page, resolve_finding};
use kernel::{FindingId, RandomIds};
use serde_json::{Value, json};
use settings::Settings;

use super::by_hand::ByHand;
use super::{print, report, setup};

/// What to do with findings.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List findings, the worst first and of these the newest
    List {
        /// Resolved ones instead of open ones
        #[arg(long)]
        resolved: bool,
        /// Only this kind, e.g. `orders.stuck`
        #[arg(long)]
        kind: Option<String>,
        /// Only this severity: `critical`, `warning` or `info`
        #[arg(long)]
        severity: Option<Severity>,
        /// At most so many
        #[arg(long, default_value_t = 500)]
        limit: i64,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Close one by hand, for a reason
    Resolve {
        /// Its id, as listed
        id: FindingId,
        #[command(flatten)]
        by: ByHand,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    print(&answer(&pool, command, setup::now(&pool).await?).await?);
    Ok(())
}

pub(super) async fn answer(pool: &Pool, command: Command, now: DateTime<Utc>) -> anyhow::Result<String> {
    match command {
        Command::List {
            resolved,
            kind,
            severity,
            limit,
            json,
        } => {
            let filter = FindingFilter {
                open: Some(!resolved),
                kind: kind.as_deref(),
                severity,
                ..FindingFilter::default()
            };
            let findings = findings_page(pool, filter, None, limit.clamp(1, 10_000)).await?;
            if json {
                return Ok(report::json(&findings.iter().map(in_json).collect()));
            }
            Ok(findings.iter().map(in_words).collect::<Vec<_>>().join("\n"))
        }
        Command::Resolve { id, by } => {
            let instruction = by.instruction()?;
            by.carry_out("resolved", async || {
                Ok(resolve_finding(pool, &RandomIds, &instruction, id, now).await?.1)
            })
            .await
        }
    }
}

fn in_json(finding: &Finding) -> Value {
    json!({
        "id": finding.id, "kind": finding.kind, "severity": finding.severity, "subject": finding.subject,
        "detail": finding.detail, "metric": finding.metric, "action": finding.action, "action_zh": finding.action_zh, "times_seen": finding.times_seen,
        "first_seen_at": finding.first_seen_at, "last_seen_at": finding.last_seen_at,
        "resolved_at": finding.resolved_at, "resolved_by": finding.resolved_by,
        "resolved_reason": finding.resolved_reason,
    })
}

fn in_words(finding: &Finding) -> String {
    let mut text = format!(
        "{:<8} {}  {}  seen {}×, last {}  {}\n         {}\n         → {}",
        finding.severity.word(),
        finding.kind,
        finding.subject,
        finding.times_seen,
        report::time(finding.last_seen_at),
        finding.id,
        finding.detail,
        finding.action
    );
    if let Some(action_zh) = &finding.action_zh {
        text.push_str(&format!("\n           {action_zh}"));
    }
    if let (Some(at), Some(by)) = (finding.resolved_at, &finding.resolved_by) {
        let reason = report::or_dash(finding.resolved_reason.as_deref());
        text.push_str(&format!("\n         resolved {} by {by}: {reason}", report::time(at)));
    }
    text
}
