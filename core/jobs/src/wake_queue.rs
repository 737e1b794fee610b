//! The way of wake-ups to Redis: never waited for, bounded, and allowed to fail.
//!
//! `push` hands a wake-up to a task in the background and returns. What does not fit, or finds Redis away, is dropped
//! and counted; the dispatcher finds the job in PostgreSQL.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use apalis::prelude::{TaskBuilder, TaskId};
use apalis_redis::{Config, ConnectionManager, RedisTask, queries};
use kernel::ErrorClass;
use redis::aio::ConnectionManagerConfig;
use redis::{Client, RedisError, Script};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::{Queue, Wake};

/// Where Redis is, and how much of it we use.
#[derive(Clone)]
pub struct WakeConfig {
    /// `redis://…` or `rediss://…`; may hold a password, so never shown.
    pub url: String,
    /// The prefix of every key and channel.
    pub namespace: String,
    /// Above so many waiting wake-ups a queue gets no more; apalis-redis wedges at 8,000.
    pub max_depth: u64,
    /// How long one push may take in the background.
    pub push_budget: Duration,
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// How long Redis may take to answer a worker.
    pub response_timeout: Duration,
}

impl WakeConfig {
    /// The usual bounds.
    #[must_use]
    pub fn new(url: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            namespace: namespace.into(),
            max_depth: 5000,
            push_budget: Duration::from_millis(250),
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(5),
        }
    }
}

/// Redis cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    /// The URL is none, or TLS is not available.
    #[error("the Redis URL cannot be used: {0}")]
    Url(String),
    /// Redis did not answer, or refused.
    #[error("Redis failed: {0}")]
    Redis(String),
    /// Redis took too long.
    #[error("Redis did not answer in time")]
    Timeout,
}

impl WakeError {
    /// A wrong URL is ours to repair; the rest passes.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Url(_) => ErrorClass::Invalid,
            Self::Redis(_) | Self::Timeout => ErrorClass::Unavailable,
        }
    }
}

impl From<RedisError> for WakeError {
    /// Keeps the kind of the error and drops its detail, which may quote the URL.
    fn from(error: RedisError) -> Self {
        Self::Redis(format!("{:?}", error.kind()))
    }
}

/// What became of some wake-ups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PushReport {
    /// Handed to Redis.
    pub pushed: usize,
    /// Held back, since the queue is full.
    pub skipped: usize,
    /// Lost on the way.
    pub failed: usize,
}

/// The producer's side of the queues; clones share one connection and one background task.
#[derive(Clone)]
pub struct WakeQueue {
    sender: mpsc::Sender<Wake>,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for WakeQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WakeQueue")
            .field("namespace", &self.shared.config.namespace)
            .finish_non_exhaustive()
    }
}

struct Shared {
    config: WakeConfig,
    ready: Script,
    way: Mutex<Way>,
}

/// apalis schedules each task for the time of the machine that pushes it, and a worker fetches it only once its own machine
/// has come to that time. All of ours are for now: who was scheduled is made ready, and the push is announced. One that a
/// worker fetched meanwhile is scheduled no more and is left alone.
///
/// `KEYS` scheduled, active; `ARGV` the channel, the ids.
const READY: &str = "
    for i = 2, #ARGV do
        if redis.call('ZREM', KEYS[1], ARGV[i]) == 1 then
            redis.call('RPUSH', KEYS[2], ARGV[i])
        end
    end
    redis.call('PUBLISH', ARGV[1], #ARGV - 1)
    return #ARGV - 1";

/// The connection in use, and since when.
struct Way {
    conn: ConnectionManager,
    since: Instant,
}

/// How many wake-ups may wait for the background task.
const CHANNEL: usize = 4096;
/// How many go to Redis in one call. The depth is measured before each: with the usual bound of 5,000, twenty processes
/// that push at the same moment stay below the 8,000 at which apalis-redis wedges.
const BATCH: usize = 128;

impl WakeQueue {
    /// Prepares the way; nothing is connected yet, so this works while Redis is away. Needs a tokio runtime, on which
    /// the background task lives until the last clone is dropped.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn connect(config: WakeConfig) -> Result<Self, WakeError> {
        let conn = config.connection()?;
        let (sender, receiver) = mpsc::channel(CHANNEL);
        let way = Mutex::new(Way {
            conn,
            since: Instant::now(),
        });
        let ready = Script::new(READY);
        let shared = Arc::new(Shared { config, ready, way });
        tokio::spawn(push_in_background(receiver, shared.clone()));
        Ok(Self { sender, shared })
    }

    /// Hands wake-ups to the background task; never waits. Push after the commit, never before.
    pub fn push(&self, wakes: impl IntoIterator<Item = Wake>) {
        for wake in wakes {
            if let Err(refused) = self.sender.try_send(wake) {
                let (mpsc::error::TrySendError::Full(wake) | mpsc::error::TrySendError::Closed(wake)) = refused;
                count(wake.kind.policy().queue, "dropped", 1);
            }
        }
    }

    /// Pushes and waits for Redis, at most the push budget per queue. For the dispatcher.
    pub async fn push_now(&self, wakes: &[Wake]) -> PushReport {
        self.shared.push(wakes).await
    }

    /// How many wake-ups wait in a queue, measured now.
    ///
    /// # Errors
    /// When Redis does not answer within the push budget.
    pub async fn depth(&self, queue: Queue) -> Result<u64, WakeError> {
        self.shared.bounded(self.shared.measure(queue)).await
    }

    /// How many wake-ups a queue still takes.
    ///
    /// # Errors
    /// When Redis does not answer within the push budget.
    pub async fn room(&self, queue: Queue) -> Result<u64, WakeError> {
        Ok(self.shared.config.max_depth.saturating_sub(self.depth(queue).await?))
    }

    /// The configuration, for the worker's side.
    #[must_use]
    pub fn config(&self) -> &WakeConfig {
        &self.shared.config
    }
}

impl WakeConfig {
    /// The apalis configuration of a queue, the same for both sides. Each value avoids a measured defect of
    /// apalis-redis 1.0: see docs/JOBS.md.
    #[must_use]
    pub fn apalis(&self, queue: Queue) -> Config {
        Config::default()
            .queue(format!("{}:{queue}", self.namespace))
            .batch_size(1)
            .lock_tasks(false)
            .emit_events(false)
            .heartbeat_interval(Duration::from_secs(5))
            .missed_heartbeats(24)
            .idempotency_ttl(Some(Duration::from_secs(86_400)))
    }

    /// The client; nothing is connected yet.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn client(&self) -> Result<Client, WakeError> {
        // the error's detail may quote the URL and with it the password
        Client::open(self.url.as_str()).map_err(|error| WakeError::Url(format!("{:?}", error.kind())))
    }

    /// A connection that opens on first use and again after a loss. It never repeats a command.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn connection(&self) -> Result<ConnectionManager, WakeError> {
        let manager = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(Some(self.response_timeout))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(200));
        Ok(ConnectionManager::new_lazy_with_config(self.client()?, manager)?)
    }

    /// The channel on which a push to `queue` is announced.
    #[must_use]
    pub fn wake_channel(&self, queue: Queue) -> String {
        format!("{}:{queue}:wake", self.namespace)
    }
}

async fn push_in_background(mut receiver: mpsc::Receiver<Wake>, shared: Arc<Shared>) {
    let mut batch = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        shared.push(&batch).await;
        batch.clear();
    }
}

impl Shared {
    async fn push(&self, wakes: &[Wake]) -> PushReport {
        let mut report = PushReport::default();
        let mut by_queue: BTreeMap<&'static str, (Queue, Vec<&Wake>)> = BTreeMap::new();
        for wake in wakes {
            let queue = wake.kind.policy().queue;
            by_queue.entry(queue.word()).or_insert((queue, Vec::new())).1.push(wake);
        }
        for (queue, wakes) in by_queue.into_values() {
            for slice in wakes.chunks(BATCH) {
                let outcome = match self.bounded(self.push_slice(queue, slice)).await {
                    Ok(true) => (&mut report.pushed, "pushed"),
                    Ok(false) => (&mut report.skipped, "skipped"),
                    Err(error) => {
                        tracing::debug!(queue = queue.word(), %error, "a wake-up was not pushed");
                        (&mut report.failed, "failed")
                    }
                };
                *outcome.0 += slice.len();
                count(queue, outcome.1, slice.len());
            }
        }
        report
    }

    /// Pushes one slice to one queue and announces it. `false`: the queue is full.
    async fn push_slice(&self, queue: Queue, wakes: &[&Wake]) -> Result<bool, WakeError> {
        if self.measure(queue).await? >= self.config.max_depth {
            return Ok(false);
        }
        let tasks = wakes
            .iter()
            .map(|wake| task(wake))
            .collect::<Result<Vec<RedisTask>, _>>()?;
        let mut conn = self.way().conn.clone();
        let apalis = self.config.apalis(queue);
        queries::push_tasks(&mut conn, &apalis, &tasks)
            .await
            .map_err(|error| match error {
                apalis_redis::Error::Database(error) => WakeError::from(error),
                other => WakeError::Redis(other.to_string()),
            })?;
        let mut ready = self.ready.key(apalis.scheduled_jobs_set());
        ready
            .key(apalis.active_jobs_list())
            .arg(self.config.wake_channel(queue));
        for wake in wakes {
            ready.arg(wake.task_id());
        }
        ready.invoke_async::<usize>(&mut conn).await?;
        Ok(true)
    }

    async fn measure(&self, queue: Queue) -> Result<u64, WakeError> {
        let config = self.config.apalis(queue);
        let mut conn = self.way().conn.clone();
        let (scheduled, active): (u64, u64) = redis::pipe()
            .zcard(config.scheduled_jobs_set())
            .llen(config.active_jobs_list())
            .query_async(&mut conn)
            .await?;

        Ok(scheduled + active)
    }

    async fn bounded<T>(&self, call: impl Future<Output = Result<T, WakeError>>) -> Result<T, WakeError> {
        let answer = tokio::time::timeout(self.config.push_budget, call).await;
        let answer = answer.unwrap_or(Err(WakeError::Timeout));
        if answer.is_err() {
            self.renew();
        }
        answer
    }

    /// After a failure another connection takes the place of one that had the time to open. The client opens a new one by
    /// itself only when the old one is closed; a primary that was put back keeps it open and takes no more writes, and a
    /// machine that is gone closes nothing.
    fn renew(&self) {
        let mut way = self.way();
        if way.since.elapsed() < self.config.connect_timeout {
            return;
        }
        if let Ok(conn) = self.config.connection() {
            *way = Way {
                conn,
                since: Instant::now(),
            };
        }
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn task(wake: &Wake) -> Result<RedisTask, WakeError> {
    let bytes = wake.encode().map_err(|error| WakeError::Redis(error.to_string()))?;
    Ok(TaskBuilder::new(bytes)
        .task_id(TaskId::from_string(wake.task_id()))
        .build())
}

fn count(queue: Queue, outcome: &'static str, n: usize) {
    metrics::counter!("switchyard_wakes_total", "queue" => queue.word(), "outcome" => outcome)
        .increment(u64::try_from(n).unwrap_or(u64::MAX));
}
