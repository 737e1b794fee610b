//! An idle service: how soon a lone order starts, and what is used while nothing happens at all.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::ground::Ground;
use super::meters::Meters;
use super::orders;
use super::stats::Spread;
use crate::stage::Stage;

/// Long enough for everything that an order stirs up to be over.
const PAUSE: Duration = Duration::from_millis(250);
/// How long nothing is done.
const REST: Duration = Duration::from_secs(5);
const HISTOGRAM: &str = "switchyard_job_start_delay_seconds";

/// What idleness looks like.
#[derive(Debug, Serialize)]
pub(crate) struct Idle {
    pub(crate) workers: u16,
    /// From the commit that made the job to its begin in a worker.
    pub(crate) push_to_start: Option<Spread>,
    pub(crate) post_to_broadcast: Option<Spread>,
    pub(crate) post_to_completed: Option<Spread>,
    /// By second, with no order at all.
    pub(crate) per_second: PerSecond,
}

/// What an idle service uses.
#[derive(Debug, Serialize)]
pub(crate) struct PerSecond {
    pub(crate) write_commits: f64,
    pub(crate) wal_bytes: f64,
    pub(crate) redis_commands: f64,
    pub(crate) node_calls: Option<f64>,
    pub(crate) cpu_ms: BTreeMap<String, f64>,
}

/// One order at a time, then none.
pub(crate) fn measure(ground: &mut Ground<'_>, workers: u16) -> Result<Idle> {
    ground.start(workers)?;
    // each user's receiver is looked up once, before anything is measured
    let warm = ground.orders("idle-warm", ground.size.users);
    ground.sender().send(&ground.stage.api, &warm, None)?.all_good()?;
    orders::wait_for_all(&ground.services, &ground.children, &ground.waiting)?;
    let (mut answers, mut delays) = (Vec::new(), Vec::new());
    for n in 0..ground.size.idle_orders {
        ground.interrupt.check()?;
        thread::sleep(PAUSE);
        let before = started(&ground.stage)?;
        let one = ground.orders(&format!("idle-{n}"), 1);
        let sent = ground.sender().send(&ground.stage.api, &one, None)?;
        sent.all_good()?;
        let after = ground.waiting.until(&ground.children, "a lone order starts", || {
            Ok(Some(started(&ground.stage)?).filter(|after| after.1 > before.1))
        })?;
        if after.1 - before.1 > 1.5 {
            bail!("{} jobs started for one order", after.1 - before.1);
        }
        delays.push((after.0 - before.0) * 1e6);
        answers.extend(sent.answers);
    }
    orders::wait_for_all(&ground.services, &ground.children, &ground.waiting)?;
    let before = Meters::read(&ground.services, &ground.stage, &ground.children)?;
    thread::sleep(REST);
    let used = Meters::read(&ground.services, &ground.stage, &ground.children)?.since(&before);
    ground.stop()?;
    let steps = orders::steps(&ground.services)?;
    let times = orders::Times::of(&answers, &steps)?;
    // the histogram counts from the order's own time, which is taken before its transaction begins
    let push_to_start = answers.iter().zip(delays).filter_map(|(answer, delay)| {
        let order = steps.get(&answer.id)?;
        #[expect(clippy::cast_possible_truncation, reason = "microseconds of a short wait")]
        let started = order.created + delay.round() as i64;
        Some(started - order.accepted)
    });
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let per_second = |figure: i64| figure as f64 / REST.as_secs_f64();
    Ok(Idle {
        workers,
        push_to_start: Spread::of(push_to_start.collect()),
        post_to_broadcast: times.post_to_broadcast,
        post_to_completed: times.post_to_completed,
        per_second: PerSecond {
            write_commits: per_second(used.writes),
            wal_bytes: per_second(used.wal_bytes),
            redis_commands: per_second(used.redis.values().sum()),
            node_calls: used.node.map(|calls| per_second(calls.values().sum())),
            cpu_ms: used
                .cpu_ms
                .iter()
                .map(|(name, ms)| (name.clone(), per_second(*ms)))
                .collect(),
        },
    })
}

/// Seconds that delivering jobs waited for their start, and how many there were, over all workers.
fn started(stage: &Stage) -> Result<(f64, f64)> {
    let (mut seconds, mut count) = (0.0, 0.0);
    for worker in &stage.workers {
        let metrics = worker.text("/metrics").context("a worker shows no metrics")?;
        let value = |suffix: &str| {
            let begin = format!("{HISTOGRAM}_{suffix}{{kind=\"orders.delegate\"}} ");
            let line = metrics.lines().find_map(|line| line.strip_prefix(begin.as_str()));
            line.and_then(|value| value.parse::<f64>().ok()).unwrap_or_default()
        };
        seconds += value("sum");
        count += value("count");
    }
    Ok((seconds, count))
}
