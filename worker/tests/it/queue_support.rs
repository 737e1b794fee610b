//! A worker to test: its database, its Redis, handlers made of closures, and waiting without sleeping for luck.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::BoxFuture;
use jobs::{JobKind, JobRequest, Queue, RunningJob, Wake, WakeConfig, WakeQueue};
use kernel::{Clock, SystemClock};
use switchyard_worker::queue::{Handler, Outcome, QueueSetup, Workers};
use testkit::{Role, TestDb};
use tokio_util::sync::CancellationToken;

pub(crate) const KIND: JobKind = JobKind::OrdersDelegate;

/// A handler made of a closure.
struct Does<F>(F);

/// A handler that does what the closure does.
pub(crate) fn does<F>(run: F) -> impl Handler
where
    F: Fn(RunningJob) -> BoxFuture<'static, Outcome> + Send + Sync + 'static,
{
    Does(run)
}

#[async_trait]
impl<F> Handler for Does<F>
where
    F: Fn(RunningJob) -> BoxFuture<'static, Outcome> + Send + Sync + 'static,
{
    async fn run(&self, job: &RunningJob) -> Outcome {
        (self.0)(job.clone()).await
    }
}

/// One database and one Redis, and as many workers as a test starts on them.
pub(crate) struct Rig {
    pub(crate) db: TestDb,
    pub(crate) api: db::Pool,
    pub(crate) worker: db::Pool,
    pub(crate) wakes: WakeQueue,
}

impl Rig {
    pub(crate) async fn new(config: WakeConfig) -> Self {
        Self::over(config, TestDb::new().await)
    }

    pub(crate) fn over(mut config: WakeConfig, db: TestDb) -> Self {
        // the machine of a test may be slow; how fast a push gives up is tested elsewhere
        config.push_budget = Duration::from_secs(2);
        Self {
            api: db.pool(Role::Api),
            worker: db.pool(Role::Worker),
            db,
            wakes: WakeQueue::connect(config).unwrap(),
        }
    }

    /// Starts a worker that serves the orders.
    pub(crate) fn start(&self, concurrency: usize, handler: impl Handler) -> (Workers, CancellationToken) {
        let stop = CancellationToken::new();
        let setup = QueueSetup {
            pool: self.worker.clone(),
            registry: [(KIND, Arc::new(handler) as Arc<dyn Handler>)].into(),
            clock: Arc::new(SystemClock),
            wakes: self.wakes.clone(),
            queues: vec![(Queue::Orders, concurrency)],
            name: "test".into(),
            dispatch_interval: Duration::from_millis(200),
            drain: Duration::from_secs(10),
        };
        (Workers::start(setup, &stop), stop)
    }

    /// Asks for a job as the API does, without the push.
    pub(crate) async fn ask(&self, object_id: &str) -> Wake {
        let now = SystemClock.now();
        let request = JobRequest {
            kind: KIND,
            object_id,
            run_at: now,
            now,
        };
        db::run_tx(&self.api, "ask", async |conn| jobs::enqueue_in_tx(conn, request).await)
            .await
            .unwrap()
            .expect("it is due")
    }

    /// Puts `n` due jobs into the table that nobody pushed.
    pub(crate) async fn backlog(&self, n: u32) {
        self.db
            .sql(&format!(
                "INSERT INTO jobs (kind, object_id, queue, next_run_at, created_at)
                 SELECT 'orders.delegate', n, 'orders', now(), now() FROM generate_series(1, {n}) n"
            ))
            .await;
    }

    /// How many rows there are that satisfy a condition.
    pub(crate) async fn rows(&self, condition: &str) -> i64 {
        count(
            &self.worker,
            &format!("SELECT count(*) AS n FROM jobs WHERE {condition}"),
        )
        .await
    }

    pub(crate) async fn redis(&self) -> redis::aio::ConnectionManager {
        self.wakes.config().connection().unwrap()
    }
}

pub(crate) async fn count(pool: &db::Pool, sql: &str) -> i64 {
    use diesel_async::RunQueryDsl;
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let mut conn = db::acquire(pool).await.unwrap();
    diesel::sql_query(sql).get_result::<Count>(&mut conn).await.unwrap().n
}

/// Waits until the condition holds; the test fails after two minutes.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < Duration::from_secs(120), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The shared Redis, in a namespace of the test's own.
pub(crate) fn shared_redis() -> WakeConfig {
    let redis = testkit::TestRedis::new();
    WakeConfig::new(redis.url, redis.namespace)
}

/// A Redis of the test's own, to be killed and wiped.
pub(crate) struct OwnRedis {
    port: u16,
    process: Option<Child>,
}

impl OwnRedis {
    /// Reserves a port; nothing listens yet.
    pub(crate) fn down() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        Self { port, process: None }
    }

    pub(crate) async fn up() -> Self {
        let mut redis = Self::down();
        redis.start().await;
        redis
    }

    pub(crate) async fn start(&mut self) {
        let port = self.port.to_string();
        let process = Command::new("redis-server")
            .args([
                "--port",
                &port,
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is in PATH");
        self.process = Some(process);
        until("redis answers", || async { self.say(&["PING"]).await.is_ok() }).await;
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("it can be killed");
            process.wait().expect("it ends");
        }
    }

    pub(crate) async fn say(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        let mut conn = client.get_multiplexed_async_connection().await?;
        let mut command = redis::Cmd::new();
        words.iter().for_each(|word| {
            command.arg(*word);
        });
        command.query_async(&mut conn).await
    }

    pub(crate) fn config(&self) -> WakeConfig {
        WakeConfig::new(format!("redis://{}", self.address()), "test")
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.kill();
    }
}
