//! The figures that we promised, and whether they hold.

use serde::Serialize;

use super::Findings;
use super::reclaims::Reclaims;
use super::run::Run;
use super::stats::Spread;

/// MiB in KiB.
const MIB: f64 = 1_024.0;

/// How a figure may stand to its budget.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    /// Not more than this.
    AtMost(f64),
    /// Not less than this.
    AtLeast(f64),
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) figure: String,
    pub(crate) value: Option<f64>,
    pub(crate) unit: &'static str,
    pub(crate) budget: Option<Bound>,
    /// The figure by its budget.
    pub(crate) ratio: Option<f64>,
    pub(crate) holds: Option<bool>,
}

impl Row {
    fn new(figure: impl Into<String>, value: Option<f64>, unit: &'static str, budget: Option<Bound>) -> Self {
        let judged = value.zip(budget).map(|(value, bound)| match bound {
            Bound::AtMost(most) => (value / most, value <= most),
            Bound::AtLeast(least) => (value / least, value >= least),
        });
        Self {
            figure: figure.into(),
            value,
            unit,
            budget,
            ratio: judged.map(|(ratio, _)| ratio),
            holds: judged.map(|(_, holds)| holds),
        }
    }
}

/// Every figure that has a budget, and those that go with them.
pub(crate) fn rows(found: &Findings) -> Vec<Row> {
    let mut rows = latencies(found);
    for run in &found.saturation {
        rows.extend(saturation(run));
    }
    if let Some(reclaims) = &found.reclaims {
        rows.extend(mass_reclaim(reclaims));
    }
    let best = found.best_per_s();
    if let Some(limits) = &found.limits {
        let of = |limit: f64| best.map(|best| best / limit);
        rows.push(plain(
            "pgbench, an order's least SQL, 16 clients",
            Some(limits.pgbench_16_clients),
            "/s",
        ));
        rows.push(plain(
            "pgbench, an order's least SQL, 64 clients",
            Some(limits.pgbench_64_clients),
            "/s",
        ));
        rows.push(plain("orders end to end by pgbench", of(limits.database()), "×"));
        rows.push(plain(
            "delegations signed by one core",
            Some(limits.signs_per_core),
            "/s",
        ));
        rows.push(plain("orders end to end by signatures", of(limits.signs_per_core), "×"));
    }
    if let Some(other) = &found.comparison {
        rows.push(plain("FastAPI + Celery, accepted", Some(other.accepted_per_s), "/s"));
        rows.push(plain(
            "FastAPI + Celery, orders end to end",
            Some(other.completed_per_s),
            "/s",
        ));
        let by = best.map(|best| best / other.completed_per_s);
        let ten = Some(Bound::AtLeast(10.0));
        rows.push(Row::new("orders end to end by FastAPI + Celery", by, "×", ten));
    }
    rows
}

fn plain(figure: impl Into<String>, value: Option<f64>, unit: &'static str) -> Row {
    Row::new(figure, value, unit, None)
}

/// The percentiles of a spread: with bounds on some of them.
fn spread(figure: &str, spread: Option<Spread>, p50: Option<Bound>, p99: Option<Bound>) -> [Row; 3] {
    [
        Row::new(format!("{figure} p50"), spread.map(|spread| spread.p50_ms), "ms", p50),
        plain(format!("{figure} p95"), spread.map(|spread| spread.p95_ms), "ms"),
        Row::new(format!("{figure} p99"), spread.map(|spread| spread.p99_ms), "ms", p99),
    ]
}

fn latencies(found: &Findings) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(idle) = &found.idle {
        let bounds = (Some(Bound::AtMost(10.0)), Some(Bound::AtMost(50.0)));
        rows.extend(spread("idle: push → start", idle.push_to_start, bounds.0, bounds.1));
        rows.extend(spread("idle: POST → completed", idle.post_to_completed, None, None));
    }
    if let Some(half) = &found.half_load {
        rows.push(plain("half load: offered", half.offered_per_s, "/s"));
        rows.extend(spread(
            "half load: accepted",
            half.accept,
            None,
            Some(Bound::AtMost(20.0)),
        ));
        let paid = Some(Bound::AtMost(250.0));
        rows.extend(spread(
            "half load: paid → broadcast",
            half.paid_to_broadcast,
            None,
            paid,
        ));
        rows.extend(spread(
            "half load: POST → broadcast",
            half.post_to_broadcast,
            None,
            None,
        ));
        rows.extend(spread(
            "half load: POST → completed",
            half.post_to_completed,
            None,
            None,
        ));
    }
    rows
}

fn mass_reclaim(found: &Reclaims) -> Vec<Row> {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let due = found.due as f64;
    let mut rows = vec![
        plain("all rentals end at once: due", Some(due), ""),
        plain("all rentals end at once: taken back", Some(found.reclaimed_per_s), "/s"),
        plain("all rentals end at once: until the last", Some(found.seconds), "s"),
        plain(
            "all rentals end at once: node calls each",
            found.node_calls_per_reclaim,
            "",
        ),
        plain("meanwhile: orders offered", Some(found.offered_per_s), "/s"),
    ];
    let paid = Some(Bound::AtMost(250.0));
    rows.extend(spread(
        "meanwhile: paid → broadcast",
        found.paid_to_broadcast,
        None,
        paid,
    ));
    rows
}

fn saturation(run: &Run) -> Vec<Row> {
    let name = |what: &str| match run.workers {
        1 => format!("1 worker: {what}"),
        n => format!("{n} workers: {what}"),
    };
    let cost = &run.per_order;
    let mut rows = vec![
        plain(name("accepted"), Some(run.accepted_per_s), "/s"),
        plain(name("accepted p99"), run.accept.map(|accept| accept.p99_ms), "ms"),
        plain(name("orders end to end"), Some(run.completed_per_s), "/s"),
        Row::new(
            name("durable commits by order"),
            cost.durable_commits,
            "",
            Some(Bound::AtMost(3.0)),
        ),
        plain(name("syncs of the log by order"), Some(cost.wal_syncs), ""),
        plain(name("log by order"), Some(cost.wal_bytes / MIB), "KiB"),
        Row::new(
            name("node calls by order"),
            cost.node_calls,
            "",
            Some(Bound::AtMost(1.1)),
        ),
        plain(name("Redis commands by order"), Some(cost.redis_commands), ""),
    ];
    let cpu = &cost.cpu_ms;
    let workers: f64 = cpu
        .iter()
        .filter(|(name, _)| name.starts_with("worker-"))
        .map(|(_, ms)| ms)
        .sum();
    for (process, ms) in [
        ("api", cpu.get("api").copied()),
        ("workers", (workers > 0.0).then_some(workers)),
        ("PostgreSQL", cpu.get("postgres").copied()),
        ("Redis", cpu.get("redis").copied()),
        ("devnet", cpu.get("devnet").copied()),
        ("load generator", cpu.get("load").copied()),
    ] {
        rows.push(plain(name(&format!("CPU by order, {process}")), ms, "ms"));
    }
    let rss = |process: &str| {
        let of = run
            .peak_rss_kib
            .iter()
            .filter(|(name, _)| name.starts_with(process))
            .map(|(_, kib)| *kib);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        of.max().map(|kib| kib as f64 / MIB)
    };
    rows.push(Row::new(
        name("memory, api"),
        rss("api"),
        "MiB",
        Some(Bound::AtMost(64.0)),
    ));
    rows.push(Row::new(
        name("memory, largest worker"),
        rss("worker-"),
        "MiB",
        Some(Bound::AtMost(96.0)),
    ));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_holds_up_to_its_bound_and_not_beyond() {
        let row = |value, bound| Row::new("x", Some(value), "ms", Some(bound));
        assert_eq!(row(20.0, Bound::AtMost(20.0)).holds, Some(true));
        assert_eq!(row(20.1, Bound::AtMost(20.0)).holds, Some(false));
        assert_eq!(row(9.9, Bound::AtLeast(10.0)).holds, Some(false));
        assert_eq!(row(30.0, Bound::AtLeast(10.0)).ratio, Some(3.0));
        let unknown = Row::new("x", None, "ms", Some(Bound::AtMost(1.0)));
        assert_eq!(
            (unknown.holds, unknown.ratio),
            (None, None),
            "what was not measured is not held"
        );
    }
}
