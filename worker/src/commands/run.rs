//! `run`: the worker itself.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::runtime_settings::Follower;
use jobs::{JobKind, Queue};
use settings::{Settings, Start};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::setup;
use crate::cron::{Cron, Missed, Schedule};
use crate::environment::{Environment, WorkRules};
use crate::health::{self, Health};
use crate::queue::{QueueSetup, Workers};
use crate::registry::registry;
use crate::watcher::{WatchPolicy, Watcher};
use crate::webhooks::look_for_due;
use crate::{counters, gauges, rentals, rules};

/// Opened keys whose time is up leave memory at least this often.
const FORGET_PERIOD: Duration = Duration::from_secs(30);

/// Runs until SIGTERM or SIGINT, then drains.
pub(super) async fn run(settings: Settings, only: &[String]) -> anyhow::Result<()> {
    let metrics = settings::metrics::install()?;
    let stop = settings::shutdown::listen()?;
    let env = setup::environment(&settings).await?;
    let pending = db::pending_migrations(&env.pool).await?;
    anyhow::ensure!(
        pending == 0,
        "the database lacks {pending} migrations: run `switchyard-worker migrate` first"
    );
    let follower = rules::follower(Arc::clone(&env.rules), settings.clone());
    follower
        .look(&env.pool, env.clock.now())
        .await
        .context("change the configuration, or the version with `switchyard-worker settings set`")?;
    if let Some(policy) = rentals::policy(&settings)? {
        domain::rentals::publish(&env.pool, env.ids.as_ref(), &policy, env.clock.now()).await?;
    }
    counters::start_at_zero(
        settings.networks.keys(),
        settings.rates.sources.iter().map(|source| &source.name),
    );
    let queues = queues(&settings, only)?;
    let name = worker_name(&env);
    tracing::info!(worker = name, queues = ?queues, "worker starts");
    let workers = Workers::start(queue_setup(&settings, &env, &queues, &name), &stop);
    let tasks = TaskTracker::new();
    tasks.spawn(
        Cron::new(
            env.pool.clone(),
            Arc::clone(&env.clock),
            env.wakes.clone(),
            name.clone(),
            schedules(&settings)?,
        )
        .run(stop.clone()),
    );
    if queues.iter().any(|(queue, _)| *queue == Queue::Chain) {
        for watcher in watchers(&settings, &env, &name)? {
            tasks.spawn(watcher.run(stop.clone()));
        }
    }
    if queues.iter().any(|(queue, _)| *queue == Queue::Notify) {
        let interval = Duration::from_millis(settings.webhooks.look_interval_ms);
        tasks.spawn(look_for_due(Arc::clone(&env), interval, stop.clone()));
    }
    tasks.spawn(gauges::run(Arc::clone(&env), stop.clone()));
    tasks.spawn(follow(follower, Arc::clone(&env), stop.clone()));
    tasks.spawn(forget_keys(Arc::clone(&env), stop.clone()));
    let health = Health {
        pool: env.pool.clone(),
        liveness: workers.liveness().clone(),
        metrics,
    };
    let served = health::serve(settings.worker.ops_listen, health, stop.clone()).await;
    // the health port ends first when told to stop; if it could not be opened, the worker must not run unseen
    stop.cancel();
    workers.join().await;
    tasks.close();
    tasks.wait().await;
    served.with_context(|| format!("worker.ops_listen = {}", settings.worker.ops_listen))?;
    tracing::info!(worker = name, "worker ended");
    Ok(())
}

/// Unique to this boot: the lease of a watcher must not be taken for that of its predecessor.
fn worker_name(env: &Environment) -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "worker".to_owned());
    format!("{host}-{}", env.ids.uuid().simple())
}

fn queues(settings: &Settings, only: &[String]) -> anyhow::Result<Vec<(Queue, usize)>> {
    let names = if only.is_empty() { &settings.worker.queues } else { only };
    names
        .iter()
        .map(|name| {
            let queue: Queue = name
                .parse()
                .map_err(|error: String| anyhow::anyhow!("worker.queues: {error}"))?;
            Ok((
                queue,
                settings.worker.concurrency.get(name).copied().unwrap_or(4).max(1),
            ))
        })
        .collect()
}

fn queue_setup(settings: &Settings, env: &Arc<Environment>, queues: &[(Queue, usize)], name: &str) -> QueueSetup {
    QueueSetup {
        pool: env.pool.clone(),
        registry: registry(env),
        clock: Arc::clone(&env.clock),
        wakes: env.wakes.clone(),
        queues: queues.to_vec(),
        name: name.to_owned(),
        dispatch_interval: Duration::from_millis(settings.jobs.dispatch_interval_ms),
        drain: Duration::from_millis(settings.worker.drain_timeout_ms),
    }
}

/// Which job each schedule of the configuration asks for, and of what.
fn job_of(schedule: &str, settings: &Settings) -> Option<(JobKind, String)> {
    let network = settings.orders.network.as_str();
    let (kind, object) = match schedule {
        "cancel_expired_orders" => (JobKind::OrdersCancelExpired, "all"),
        "check_stock" => (JobKind::WalletsCheckStock, network),
        "compare_holdings" => (JobKind::OperationsReconcile, crate::jobs::HOLDINGS),
        "compare_lent" => (JobKind::OperationsReconcile, crate::jobs::LENT),
        "expire_payouts" => (JobKind::PayoutsExpire, "all"),
        "plan_stakes" => (JobKind::WalletsPlanStakes, network),
        "plan_sweeps" => (JobKind::DepositsPlanSweeps, settings.deposits.network.as_str()),
        "prune" => (JobKind::OperationsPrune, "all"),
        "read_rates" => (JobKind::RatesRead, "all"),
        "reconcile" => (JobKind::OperationsReconcile, "books"),
        "seal_audit" => (JobKind::AuditSeal, "all"),
        "sync_wallets" => (JobKind::WalletsSync, crate::jobs::ALL_WALLETS),
        _ => return None,
    };
    Some((kind, object.to_owned()))
}

fn schedules(settings: &Settings) -> anyhow::Result<Vec<Schedule>> {
    let enabled = settings.schedules.iter().filter(|(_, schedule)| schedule.enabled);
    enabled
        .map(|(name, schedule)| {
            let (job, object_id) =
                job_of(name, settings).with_context(|| format!("schedules.{name}: there is no such schedule"))?;
            let missed = match schedule.missed {
                settings::Missed::Skip => Missed::Skip,
                settings::Missed::CatchUp => Missed::CatchUp,
            };
            let cron = schedule
                .cron
                .parse()
                .with_context(|| format!("schedules.{name}.cron"))?;
            Ok(Schedule {
                name: name.clone(),
                cron,
                missed,
                job,
                object_id,
            })
        })
        .collect()
}

fn watchers(settings: &Settings, env: &Arc<Environment>, name: &str) -> anyhow::Result<Vec<Watcher>> {
    settings
        .networks
        .iter()
        .map(|(network, config)| {
            let policy = WatchPolicy {
                poll: Duration::from_millis(config.poll_interval_ms),
                max_blocks: i64::from(config.max_blocks_per_fetch),
                lease: chrono::Duration::milliseconds(i64::try_from(config.lease_ms)?),
                max_fork_depth: i64::from(config.max_fork_depth),
                start: match config.start {
                    Start::Solid => None,
                    Start::Block(number) => Some(i64::try_from(number)?),
                },
            };
            Ok(Watcher::new(Arc::clone(env), network.clone(), name.to_owned(), policy))
        })
        .collect()
}

/// Goes by the newest version of the settings until told to stop.
async fn follow(follower: Follower<WorkRules>, env: Arc<Environment>, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = follower.follow(&env.pool, &*env.clock) => {}
    }
}

async fn forget_keys(env: Arc<Environment>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(FORGET_PERIOD) => env.keys.forget_expired(),
        }
    }
}
