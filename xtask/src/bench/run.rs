//! One run under load: so many workers, so many orders, as fast as they are accepted or at a rate.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::cpu;
use super::ground::Ground;
use super::load::micros;
use super::meters::{Meters, Used};
use super::orders::{self, Times};
use super::statements::{self, Statement};
use super::stats::Spread;

/// Orders that open connections and fill caches before anything is measured.
const WARM: usize = 128;

/// What to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load<'a> {
    /// A name that no other run has.
    pub(crate) series: &'a str,
    pub(crate) workers: u16,
    pub(crate) orders: usize,
    /// Orders a second; as fast as they are accepted if `None`.
    pub(crate) rate: Option<f64>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    pub(crate) workers: u16,
    pub(crate) orders: usize,
    pub(crate) completed: usize,
    pub(crate) refunded: usize,
    pub(crate) offered_per_s: Option<f64>,
    pub(crate) accepted_per_s: f64,
    /// From the first request to the last completion.
    pub(crate) completed_per_s: f64,
    pub(crate) accept: Option<Spread>,
    pub(crate) post_to_broadcast: Option<Spread>,
    pub(crate) post_to_completed: Option<Spread>,
    pub(crate) paid_to_broadcast: Option<Spread>,
    pub(crate) accepted_to_signed: Option<Spread>,
    pub(crate) signed_to_broadcast: Option<Spread>,
    pub(crate) broadcast_to_completed: Option<Spread>,
    pub(crate) per_order: PerOrder,
    /// The most that each process ever held, KiB.
    pub(crate) peak_rss_kib: BTreeMap<String, u64>,
    /// The statements that took longest.
    pub(crate) statements: Vec<Statement>,
}

/// What an order cost: all that was used from the first request until everything was settled.
#[derive(Debug, Serialize)]
pub(crate) struct PerOrder {
    /// Transactions that wrote.
    pub(crate) write_commits: f64,
    /// Of these, those that waited for the disk.
    pub(crate) durable_commits: Option<f64>,
    /// All that ended well, reads included.
    pub(crate) commits: f64,
    pub(crate) wal_syncs: f64,
    pub(crate) wal_bytes: f64,
    /// Whole pages written after a checkpoint; they are in the bytes.
    pub(crate) wal_full_pages: f64,
    pub(crate) redis_commands: f64,
    pub(crate) redis_by_command: BTreeMap<String, f64>,
    pub(crate) node_calls: Option<f64>,
    pub(crate) node_by_path: BTreeMap<String, f64>,
    pub(crate) cpu_ms: BTreeMap<String, f64>,
}

/// Starts the processes, loads them, waits until all is settled, stops them, and looks at what they did.
pub(crate) fn measure(ground: &mut Ground<'_>, load: Load<'_>) -> Result<Run> {
    ground.start(load.workers)?;
    let warm = ground.orders(&format!("{}-warm", load.series), WARM);
    ground.sender().send(&ground.stage.api, &warm, None)?.all_good()?;
    orders::wait_for_all(&ground.services, &ground.children, &ground.waiting)?;
    statements::reset(&ground.services)?;
    let before = Meters::read(&ground.services, &ground.stage, &ground.children)?;
    let requests = ground.orders(load.series, load.orders);
    let answers = ground.sender().send(&ground.stage.api, &requests, load.rate)?;
    answers.all_good()?;
    orders::wait_for_all(&ground.services, &ground.children, &ground.waiting)?;
    let after = Meters::read(&ground.services, &ground.stage, &ground.children)?;
    let peak_rss_kib = ground
        .children
        .pids()
        .filter_map(|(name, pid)| Some((name.to_owned(), cpu::peak_rss_kib(pid)?)))
        .collect();
    ground.stop()?;
    let used = after.with_services(&ground.services)?.since(&before);
    let times = Times::of(&answers.answers, &orders::steps(&ground.services)?)?;
    Ok(Run {
        workers: load.workers,
        orders: load.orders,
        completed: times.completed,
        refunded: times.refunded,
        offered_per_s: load.rate,
        accepted_per_s: rate(load.orders, answers.seconds),
        completed_per_s: rate(times.completed, micros(times.last_us - answers.begin_us())),
        accept: Spread::of(answers.took_us()),
        post_to_broadcast: times.post_to_broadcast,
        post_to_completed: times.post_to_completed,
        paid_to_broadcast: times.paid_to_broadcast,
        accepted_to_signed: times.accepted_to_signed,
        signed_to_broadcast: times.signed_to_broadcast,
        broadcast_to_completed: times.broadcast_to_completed,
        per_order: PerOrder::of(&used, load.orders, answers.cpu_ms),
        peak_rss_kib,
        statements: statements::top(&ground.services)?,
    })
}

impl PerOrder {
    /// What was used, by so many orders, and what the load generator used.
    pub(crate) fn of(used: &Used, orders: usize, load_cpu_ms: Option<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let per = |figure: i64| figure as f64 / orders.max(1) as f64;
        let each = |figures: &BTreeMap<String, i64>| figures.iter().map(|(name, n)| (name.clone(), per(*n))).collect();
        let mut cpu_ms: BTreeMap<String, f64> = each(&used.cpu_ms);
        let load = load_cpu_ms.and_then(|ms| i64::try_from(ms).ok());
        cpu_ms.extend(load.map(|ms| ("load".to_owned(), per(ms))));
        Self {
            write_commits: per(used.writes),
            durable_commits: used.durable.map(per),
            commits: per(used.commits),
            wal_syncs: per(used.wal_syncs),
            wal_bytes: per(used.wal_bytes),
            wal_full_pages: per(used.full_pages),
            redis_commands: per(used.redis.values().sum()),
            redis_by_command: each(&used.redis),
            node_calls: used.node.as_ref().map(|calls| per(calls.values().sum())),
            node_by_path: used.node.as_ref().map(each).unwrap_or_default(),
            cpu_ms,
        }
    }
}

/// So many in so many seconds.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn rate(count: usize, seconds: f64) -> f64 {
    count as f64 / seconds.max(1e-6)
}
