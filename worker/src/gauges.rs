//! Figures out of PostgreSQL as metrics: what waits, what stopped, where the money is, how far each network is read.
//!
//! Every worker shows the same figures, whatever it serves: take the maximum over workers. A figure that came from this
//! process alone would be missing, or stale, wherever another worker did the work.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chain::EnergyMarket;
use chrono::{DateTime, Utc};
use db::models::{
    Approval, DueComparison, Exchange, Finding, Rate, SupplierWallet, Switch, TransferKind, Unsealed, WebhookEndpoint,
};
use db::{Conn, acquire};
use domain::DomainError;
use domain::operations::{Held, NetworkFigures, count_stuck, held, networks, transfer_figures};
use domain::rates::{RatePolicy, current_in_tx};
use jobs::{Queue, QueueFigures, queue_figures};
use metrics::gauge;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::environment::Environment;
use crate::error::WorkError;

/// Pause between two looks.
const PERIOD: Duration = Duration::from_secs(15);
/// The totals of the ledger read more rows: they are looked at less often.
const TOTALS_PERIOD: Duration = Duration::from_secs(60);

/// Shows the figures until told to stop.
pub async fn run(env: Arc<Environment>, stop: CancellationToken) {
    let mut gauges = Gauges::default();
    let mut was_well = true;
    loop {
        let shown = gauges.show(&env).await;
        if let (Err(error), true) = (&shown, was_well) {
            tracing::warn!(error = error as &dyn std::error::Error, "figures could not be read");
        }
        was_well = shown.is_ok();
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// The figures, and what was shown before: a gauge keeps its value until it is set again, so what is gone must go back
/// to zero.
#[derive(Debug, Default)]
pub struct Gauges {
    jobs: BTreeSet<(String, String)>,
    findings: BTreeSet<(String, &'static str)>,
    deposits: BTreeSet<(String, String)>,
    totals_at: Option<Instant>,
}

impl Gauges {
    /// Reads and shows the figures once.
    ///
    /// # Errors
    /// When the database does not answer; `switchyard_figures_time_seconds` then stays where it was.
    pub async fn show(&mut self, env: &Environment) -> Result<(), WorkError> {
        let now = env.clock.now();
        let mut conn = acquire(&env.pool).await?;
        self.show_jobs(&mut conn, now).await?;
        self.show_findings(&mut conn).await?;
        self.show_deposits(&mut conn).await?;
        for (kind, count) in count_stuck(&mut conn, now).await? {
            gauge!("switchyard_stuck_objects", "kind" => kind.word()).set(float(count));
        }
        for row in held(&mut conn).await? {
            show_held(row);
        }
        for row in networks(&mut conn, now).await? {
            show_comparison(&mut conn, &row.network, now).await?;
            show_network(&mut conn, row).await?;
        }
        show_webhooks(&mut conn, now).await?;
        show_approvals(&mut conn, now).await?;
        show_pauses(&mut conn).await?;
        show_audit(&mut conn, now).await?;
        show_rate(&mut conn, (!env.rates.sources.is_empty(), &env.rules().rates), now).await?;
        gauge!("switchyard_figures_time_seconds").set(float(now.timestamp()));
        // they read the most: what is above does not wait for them, and if they fail they are not tried again at once
        if self.totals_at.is_none_or(|at| at.elapsed() >= TOTALS_PERIOD) {
            self.totals_at = Some(Instant::now());
            show_totals(&mut conn).await?;
        }
        Ok(())
    }

    async fn show_jobs(&mut self, conn: &mut Conn, now: DateTime<Utc>) -> Result<(), WorkError> {
        let rows = queue_figures(conn, now).await?;
        let present: BTreeSet<_> = rows.iter().map(|row| (row.queue.clone(), row.kind.clone())).collect();
        let gone = self.jobs.difference(&present).map(|(queue, kind)| QueueFigures {
            queue: queue.clone(),
            kind: kind.clone(),
            due: 0,
            oldest_due_seconds: 0.0,
            running: 0,
            later: 0,
            dead: 0,
        });
        gone.for_each(show_queue);
        rows.into_iter().for_each(show_queue);
        self.jobs.extend(present);
        Ok(())
    }

    async fn show_findings(&mut self, conn: &mut Conn) -> Result<(), WorkError> {
        let rows = Finding::count_open(conn).await.map_err(DomainError::from)?;
        let open: BTreeMap<_, _> = rows
            .into_iter()
            .map(|(kind, severity, count)| ((kind, severity.word()), count))
            .collect();
        self.findings.extend(open.keys().cloned());
        for name in &self.findings {
            let (kind, severity) = name.clone();
            let count = open.get(name).copied().unwrap_or(0);
            gauge!("switchyard_findings_open", "kind" => kind, "severity" => severity).set(float(count));
        }
        Ok(())
    }
}

impl Gauges {
    async fn show_deposits(&mut self, conn: &mut Conn) -> Result<(), WorkError> {
        let rows = transfer_figures(conn).await?;
        let present: BTreeMap<_, _> = rows
            .into_iter()
            .map(|row| ((row.state, row.kind.unwrap_or_default()), row.count))
            .collect();
        self.deposits.extend(present.keys().cloned());
        // there from the start, so that the first one raises an alert
        let held = TransferKind::ALL
            .iter()
            .map(|kind| ("held".to_owned(), kind.word().to_owned()));
        self.deposits.extend(held);
        for name in &self.deposits {
            let (state, case) = name.clone();
            let count = present.get(name).copied().unwrap_or(0);
            gauge!("switchyard_deposits_transfers", "state" => state, "case" => case).set(float(count));
        }
        Ok(())
    }
}

fn show_queue(row: QueueFigures) {
    let labels = [("queue", row.queue), ("kind", row.kind)];
    gauge!("switchyard_jobs_due", &labels).set(float(row.due));
    gauge!("switchyard_jobs_oldest_due_seconds", &labels).set(row.oldest_due_seconds);
    gauge!("switchyard_jobs_running", &labels).set(float(row.running));
    gauge!("switchyard_jobs_later", &labels).set(float(row.later));
    gauge!("switchyard_jobs_dead", &labels).set(float(row.dead));
}

fn show_held(row: Held) {
    let (state, count, sun) = (row.state, float(row.count), row.sun);
    match row.what.as_str() {
        "orders" => {
            gauge!("switchyard_orders_open", "state" => state.clone()).set(count);
            gauge!("switchyard_orders_open_sun", "state" => state).set(sun);
        }
        "delegations" => {
            gauge!("switchyard_delegations_live", "state" => state.clone()).set(count);
            gauge!("switchyard_delegations_live_sun", "state" => state).set(sun);
        }
        "payouts" => gauge!("switchyard_payouts_open", "state" => state).set(count),
        "rentals" => {
            gauge!("switchyard_rentals_open", "state" => state.clone()).set(count);
            gauge!("switchyard_rentals_open_sun", "state" => state).set(sun);
        }
        "keys" => gauge!("switchyard_wallet_keys", "state" => state).set(count),
        "stakings" => gauge!("switchyard_stakings_open", "state" => state).set(count),
        "sweeps" => gauge!("switchyard_sweeps_open", "state" => state).set(count),
        "treasury" => {
            gauge!("switchyard_treasury_wallets").set(count);
            gauge!("switchyard_treasury_balance", "asset" => state).set(sun);
        }
        "transactions" => gauge!("switchyard_chain_transactions_open", "state" => state).set(count),
        "wallets" => gauge!("switchyard_wallets", "state" => state).set(count),
        _ => gauge!("switchyard_wallets_sun", "part" => state).set(sun),
    }
}

/// How long ago the wallet was compared with the chain that waits longest for it.
async fn show_comparison(conn: &mut Conn, network: &str, now: DateTime<Utc>) -> Result<(), WorkError> {
    let oldest = DueComparison::oldest(conn, network).await?;
    let age = oldest.map_or(0.0, |oldest| (now - oldest).as_seconds_f64().max(0.0));
    gauge!("switchyard_lent_oldest_comparison_seconds", "network" => network.to_owned()).set(age);
    Ok(())
}

async fn show_network(conn: &mut Conn, row: NetworkFigures) -> Result<(), WorkError> {
    let labels = [("network", row.network)];
    gauge!("switchyard_chain_head_number", &labels).set(float(row.head_number));
    gauge!("switchyard_chain_solid_number", &labels).set(float(row.solid_number));
    gauge!("switchyard_chain_lag_blocks", &labels).set(float(row.lag_blocks));
    gauge!("switchyard_chain_solid_lag_blocks", &labels).set(float(row.head_number - row.solid_number));
    gauge!("switchyard_chain_head_age_seconds", &labels).set(row.head_age_seconds);
    gauge!("switchyard_chain_solid_age_seconds", &labels).set(row.solid_age_seconds);
    gauge!("switchyard_chain_heard_age_seconds", &labels).set(row.heard_age_seconds);
    gauge!("switchyard_chain_halted", &labels).set(if row.halted { 1.0 } else { 0.0 });
    if row.total_energy_weight > 0 {
        let market = EnergyMarket {
            total_limit: row.total_energy_limit,
            total_weight: row.total_energy_weight,
        };
        let sun = SupplierWallet::sellable_sun(conn).await.map_err(DomainError::from)?;
        gauge!("switchyard_pool_sellable_energy", &labels).set(float(market.about_energy(sun)));
    }
    Ok(())
}

async fn show_audit(conn: &mut Conn, now: DateTime<Utc>) -> Result<(), WorkError> {
    let waiting = Unsealed::read(conn).await?;
    let age = waiting.oldest.map_or(0, |oldest| (now - oldest).num_seconds().max(0));
    gauge!("switchyard_audit_unsealed_seconds").set(float(age));
    Ok(())
}

async fn show_webhooks(conn: &mut Conn, now: DateTime<Utc>) -> Result<(), WorkError> {
    let figures = WebhookEndpoint::figures(conn, now).await.map_err(DomainError::from)?;
    for (state, count) in [
        ("enabled", figures.enabled),
        ("disabled", figures.disabled),
        ("failing", figures.failing),
    ] {
        gauge!("switchyard_webhook_endpoints", "state" => state).set(float(count));
    }
    gauge!("switchyard_webhook_pending").set(float(figures.pending));
    gauge!("switchyard_webhook_oldest_due_seconds").set(figures.oldest_due_seconds.max(0.0));
    Ok(())
}

/// Which queues are paused.
async fn show_pauses(conn: &mut Conn) -> Result<(), WorkError> {
    let thrown = Switch::list(conn).await.map_err(DomainError::from)?;
    for queue in Queue::ALL {
        let on = |switch: &Switch| switch.enabled && switch.name == queue.pause_switch();
        let paused = f64::from(u8::from(thrown.iter().any(on)));
        gauge!("switchyard_queue_paused", "queue" => queue.word()).set(paused);
    }
    Ok(())
}

/// What waits for a second operator.
async fn show_approvals(conn: &mut Conn, now: DateTime<Utc>) -> Result<(), WorkError> {
    let (waiting, since) = Approval::waiting(conn).await.map_err(DomainError::from)?;
    gauge!("switchyard_approvals_waiting").set(float(waiting));
    let oldest = since.map_or(0.0, |since| (now - since).as_seconds_f64().max(0.0));
    gauge!("switchyard_approvals_oldest_seconds").set(oldest);
    Ok(())
}

/// The rate, and what waits for one. Where nobody is to be asked, none is missed.
async fn show_rate(
    conn: &mut Conn,
    (wanted, policy): (bool, &RatePolicy),
    now: DateTime<Utc>,
) -> Result<(), WorkError> {
    let since = |at: Option<DateTime<Utc>>| at.map_or(0.0, |at| (now - at).as_seconds_f64().max(0.0));
    let current = current_in_tx(conn, policy, now).await?;
    let accepted = Rate::last_accepted(conn).await.map_err(DomainError::from)?;
    let sun = current.map_or(0, |rate| rate.sun_per_usdt);
    gauge!("switchyard_rate_sun_per_usdt").set(float(sun));
    gauge!("switchyard_rate_missing").set(if wanted && current.is_err() { 1.0 } else { 0.0 });
    gauge!("switchyard_rate_age_seconds").set(since(accepted.map(|rate| rate.at)));
    let pending = Exchange::pending(conn).await.map_err(DomainError::from)?;
    gauge!("switchyard_exchanges_pending").set(float(pending.count));
    gauge!("switchyard_exchanges_oldest_pending_seconds").set(since(pending.oldest));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
async fn show_totals(conn: &mut Conn) -> Result<(), WorkError> {
    for total in ledger::totals(conn).await.map_err(DomainError::from)? {
        gauge!("switchyard_ledger_balance", "account" => total.account, "asset" => total.asset.code())
            .set(total.minor as f64);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
const fn float(number: i64) -> f64 {
    number as f64
}
