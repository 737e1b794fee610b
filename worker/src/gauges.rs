//! Figures out of PostgreSQL as metrics: what waits, what stopped, what an operator must look at.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use db::acquire;
use db::models::{Finding, Order, OrderState};
use jobs::queue_figures;
use metrics::gauge;
use tokio_util::sync::CancellationToken;

use crate::environment::Environment;
use crate::error::WorkError;

/// Pause between two looks.
const PERIOD: Duration = Duration::from_secs(15);

/// Shows the figures until told to stop. Every worker shows the same ones: take the maximum over workers.
pub async fn run(env: Arc<Environment>, stop: CancellationToken) {
    let mut shown = BTreeSet::new();
    loop {
        if let Err(error) = show(&env, &mut shown).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "figures could not be read");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges")]
async fn show(env: &Environment, shown: &mut BTreeSet<(String, &'static str)>) -> Result<(), WorkError> {
    let mut conn = acquire(&env.pool).await?;
    for row in queue_figures(&mut conn, env.clock.now()).await? {
        let labels = [("queue", row.queue), ("kind", row.kind)];
        gauge!("switchyard_jobs_due", &labels).set(row.due as f64);
        gauge!("switchyard_jobs_oldest_due_seconds", &labels).set(row.oldest_due_seconds);
        gauge!("switchyard_jobs_later", &labels).set(row.later as f64);
        gauge!("switchyard_jobs_dead", &labels).set(row.dead as f64);
    }
    let open = Order::count_open(&mut conn).await?;
    for state in [OrderState::Pending, OrderState::Processing] {
        let count = open.iter().find(|(s, _)| *s == state).map_or(0, |(_, count)| *count);
        gauge!("switchyard_orders_open", "state" => state.word()).set(count as f64);
    }
    let findings = Finding::count_open(&mut conn).await?;
    shown.extend(
        findings
            .iter()
            .map(|(kind, severity, _)| (kind.clone(), severity.word())),
    );
    // a kind that was shown once goes back to zero when its last finding is resolved
    for (kind, severity) in shown.iter() {
        let count = findings
            .iter()
            .find(|(k, s, _)| k == kind && s.word() == *severity)
            .map_or(0, |(_, _, n)| *n);
        gauge!("switchyard_findings_open", "kind" => kind.clone(), "severity" => *severity).set(count as f64);
    }
    Ok(())
}
