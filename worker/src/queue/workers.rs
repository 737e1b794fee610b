//! Starts and stops everything that a worker process runs for its queues.

use std::sync::Arc;
use std::time::Duration;

use db::Pool;
use jobs::{Queue, WakeQueue};
use kernel::{Clock, IdGen, RandomIds};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dispatcher::Dispatcher;
use super::poll::WakeSignal;
use super::runner::Runner;
use super::subscriber::{Signals, listen};
use super::supervisor::Supervisor;
use super::{Liveness, Registry, cleaner};

/// What the queues of one process are made of.
pub struct QueueSetup {
    /// Where the jobs are.
    pub pool: Pool,
    /// Who does them.
    pub registry: Registry,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Redis.
    pub wakes: WakeQueue,
    /// The queues to serve, each with how many jobs at a time.
    pub queues: Vec<(Queue, usize)>,
    /// The name of this worker in logs; it need not be unique.
    pub name: String,
    /// How often the dispatcher looks: 500 ms is usual.
    pub dispatch_interval: Duration,
    /// How long running jobs may take to end after the stop.
    pub drain: Duration,
}

/// The running queues of this process.
#[derive(Debug)]
pub struct Workers {
    tasks: TaskTracker,
    liveness: Liveness,
}

impl Workers {
    /// Starts serving. Neither Redis nor PostgreSQL need be there: whatever is away is tried again until it is back.
    /// `stop` ends the fetching; running jobs are given the drain time.
    #[must_use]
    pub fn start(setup: QueueSetup, stop: &CancellationToken) -> Self {
        let queues: Vec<Queue> = setup.queues.iter().map(|(queue, _)| *queue).collect();
        warn_of_missing_handlers(&queues, &setup.registry);
        let liveness = Liveness::new(queues.iter().copied());
        let tasks = TaskTracker::new();
        let signals: Arc<Signals> = Arc::new(
            queues
                .iter()
                .map(|queue| (queue.word(), Arc::new(WakeSignal::default())))
                .collect(),
        );
        let config = setup.wakes.config().clone();
        // two processes with one name would take each other's jobs
        let name = format!("{}-{}", setup.name, RandomIds.uuid().simple());
        let runner = Arc::new(Runner {
            pool: setup.pool.clone(),
            registry: setup.registry,
            clock: setup.clock.clone(),
        });
        for (queue, concurrency) in setup.queues {
            let Some(signal) = signals.get(queue.word()).cloned() else {
                continue;
            };
            let supervisor = Supervisor {
                queue,
                concurrency: concurrency.max(1),
                name: format!("{name}-{queue}"),
                config: config.clone(),
                runner: runner.clone(),
                signal,
                liveness: liveness.clone(),
                drain: setup.drain,
            };
            tasks.spawn(supervisor.supervise(stop.clone()));
        }
        tasks.spawn(listen(config.clone(), queues.clone(), signals, stop.clone()));
        tasks.spawn(cleaner::clean(
            config,
            queues.clone(),
            setup.clock.clone(),
            stop.clone(),
        ));
        let dispatcher = Dispatcher {
            pool: setup.pool,
            clock: setup.clock,
            wakes: setup.wakes,
            queues,
            interval: setup.dispatch_interval,
            name,
            liveness: liveness.clone(),
        };
        tasks.spawn(dispatcher.dispatch(stop.clone()));
        tasks.close();
        Self { tasks, liveness }
    }

    /// When each part last showed that it lives.
    #[must_use]
    pub const fn liveness(&self) -> &Liveness {
        &self.liveness
    }

    /// Waits until everything has ended, which it does only after the stop: at the latest when the drain time is over.
    pub async fn join(self) {
        self.tasks.wait().await;
    }
}

fn warn_of_missing_handlers(queues: &[Queue], registry: &Registry) {
    for kind in queues.iter().flat_map(|queue| queue.kinds()) {
        if !registry.contains_key(&kind) {
            tracing::error!(
                kind = kind.word(),
                "no handler for a kind of a queue that this worker serves"
            );
        }
    }
}
