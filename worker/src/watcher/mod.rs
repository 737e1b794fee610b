//! Reads a network's blocks once for everybody. Any number of workers may run it: a lease keeps them from fetching the
//! same blocks, and the commit of a block's effects is guarded by the cursor itself.

mod fork;
mod step;

use std::sync::Arc;
use std::time::Duration;

use db::models::ChainCursor;
use db::{DbError, acquire};
use tokio_util::sync::CancellationToken;

pub use step::Step;

use crate::environment::Environment;

/// How one network is watched.
#[derive(Debug, Clone)]
pub struct WatchPolicy {
    /// Pause between two looks for a new block.
    pub poll: Duration,
    /// Blocks of one fetch.
    pub max_blocks: i64,
    /// How long the lease keeps others away.
    pub lease: chrono::Duration,
    /// A deeper fork stops the scan.
    pub max_fork_depth: i64,
    /// Where an empty database begins; `None`: at the solidified head.
    pub start: Option<i64>,
}

/// Watches one network.
pub struct Watcher {
    env: Arc<Environment>,
    network: String,
    holder: String,
    policy: WatchPolicy,
}

/// The longest pause after failures in a row.
const MAX_PAUSE: Duration = Duration::from_secs(30);

impl Watcher {
    /// A watcher that takes leases as `holder`, which must be unique to this process.
    #[must_use]
    pub const fn new(env: Arc<Environment>, network: String, holder: String, policy: WatchPolicy) -> Self {
        Self {
            env,
            network,
            holder,
            policy,
        }
    }

    /// Watches until told to stop. Nothing that fails ends it: the cursor stays, and it looks again.
    pub async fn run(self, stop: CancellationToken) {
        let mut failures = 0_u32;
        loop {
            let pause = match self.step().await {
                Ok(step) => {
                    failures = 0;
                    metrics::counter!("switchyard_watch_steps_total", "network" => self.network.clone(),
                        "outcome" => step.word())
                    .increment(1);
                    if step.more() { Duration::ZERO } else { self.policy.poll }
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    metrics::counter!("switchyard_watch_steps_total", "network" => self.network.clone(),
                        "outcome" => "error")
                    .increment(1);
                    tracing::warn!(
                        network = self.network,
                        failures,
                        error = &error as &dyn std::error::Error,
                        "the chain could not be read"
                    );
                    let doubled = self.policy.poll.saturating_mul(1 << failures.min(10));
                    doubled.min(MAX_PAUSE)
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        // else the network would go unread until the lease is over, at each release
        if let Err(error) = self.release().await {
            tracing::warn!(network = self.network, %error, "the lease is left to run out");
        }
    }

    async fn release(&self) -> Result<(), DbError> {
        let mut conn = acquire(&self.env.pool).await?;
        Ok(ChainCursor::release(&mut conn, &self.network, &self.holder).await?)
    }
}
