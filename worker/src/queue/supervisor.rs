//! Keeps one apalis worker per queue running. A worker of apalis-redis dies with the first lost connection or late
//! answer; that is the safe thing, and a new one under a new name takes its place.

use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{AbortError, BackendExt, BoxDynError, Codec, Event, Monitor, ParallelizeExt, WorkerBuilder};
use apalis_redis::{ConnectionManager, RedisStorage};
use jobs::{Queue, WakeConfig, WakeError};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::limit::ConcurrencyLimitLayer;

use super::Liveness;
use super::cleaner::forget_worker;
use super::poll::{WakeOrInterval, WakeSignal};
use super::runner::Runner;

/// One queue of this process.
#[derive(Clone)]
pub(super) struct Supervisor {
    pub(super) queue: Queue,
    pub(super) concurrency: usize,
    /// Unique for each start of the process.
    pub(super) name: String,
    pub(super) config: WakeConfig,
    pub(super) runner: Arc<Runner>,
    pub(super) signal: Arc<WakeSignal>,
    pub(super) liveness: Liveness,
    pub(super) drain: Duration,
}

/// The bytes as Redis gave them: never refused here, since a refusal would kill the worker.
struct RawWake(Vec<u8>);

#[derive(Clone, Copy)]
struct RawCodec;

impl Codec<RawWake> for RawCodec {
    type Error = std::convert::Infallible;
    type Compact = Vec<u8>;

    fn encode(&self, wake: &RawWake) -> Result<Vec<u8>, Self::Error> {
        Ok(wake.0.clone())
    }

    fn decode(&self, bytes: &Vec<u8>) -> Result<RawWake, Self::Error> {
        Ok(RawWake(bytes.clone()))
    }
}

/// The shortest and the longest pause before a dead worker is replaced.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Who lived for so long is replaced at once.
const HEALTHY: Duration = Duration::from_secs(30);

impl Supervisor {
    /// Runs workers, one after the other, until told to stop; then drains.
    pub(super) async fn supervise(self, stop: CancellationToken) {
        let mut pause = PAUSES.0;
        for incarnation in 0_u64.. {
            let started = Instant::now();
            let name = format!("{}-{incarnation}", self.name);
            if let Err(error) = self.live(&name, &stop).await {
                tracing::warn!(worker = name, %error, "the worker could not start");
            }
            if stop.is_cancelled() {
                return;
            }
            metrics::counter!("switchyard_worker_restarts_total", "queue" => self.queue.word()).increment(1);
            if started.elapsed() > HEALTHY {
                pause = PAUSES.0;
            }
            tracing::warn!(worker = name, ?pause, "the worker died and is replaced");
            stop.run_until_cancelled(sleep(pause)).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// The life of one worker.
    async fn live(&self, name: &str, stop: &CancellationToken) -> Result<(), WakeError> {
        let conn = self.config.connection()?;
        let monitor = self.monitor(conn.clone(), name);
        let stopped = async {
            stop.cancelled().await;
            Ok(())
        };
        if let Err(error) = monitor.run_with_signal(stopped).await {
            tracing::warn!(worker = name, %error, "the worker ended with an error");
        }
        self.forget(conn, name).await;
        Ok(())
    }

    fn monitor(&self, conn: ConnectionManager, name: &str) -> Monitor {
        let (queue, concurrency, drain, liveness) = (self.queue, self.concurrency, self.drain, self.liveness.clone());
        let (runner, signal, name) = (self.runner.clone(), self.signal.clone(), name.to_owned());
        let config = self.config.apalis(queue);
        Monitor::new()
            .register(move |_| {
                let runner = runner.clone();
                let storage = RedisStorage::<RawWake>::new(conn.clone())
                    .with_config(config.clone())
                    .with_codec(RawCodec)
                    .poll_with_strategy(WakeOrInterval::new(signal.clone()));
                WorkerBuilder::new(name.as_str())
                    .backend(storage)
                    .layer(ConcurrencyLimitLayer::new(concurrency))
                    .parallelize(tokio::spawn)
                    .build(move |wake: RawWake| {
                        let runner = runner.clone();
                        async move {
                            let ran = runner.wake(queue, &wake.0).await;
                            ran.map_err(|error| BoxDynError::from(AbortError::new(error)))
                        }
                    })
            })
            .on_event(move |_, event| {
                if matches!(event, Event::HeartBeat) {
                    liveness.beat(queue.word());
                }
            })
            // counted from the signal, not from now
            .with_terminator(async move { sleep(drain).await })
    }

    async fn forget(&self, mut conn: ConnectionManager, name: &str) {
        let apalis = self.config.apalis(self.queue);
        let forgotten = timeout(self.config.push_budget * 4, forget_worker(&mut conn, &apalis, name)).await;
        match forgotten.unwrap_or(Err(WakeError::Timeout)) {
            Ok(put_back) => tracing::debug!(worker = name, put_back, "the worker is forgotten"),
            Err(error) => tracing::debug!(worker = name, %error, "the worker is left to apalis and the dispatcher"),
        }
    }
}
