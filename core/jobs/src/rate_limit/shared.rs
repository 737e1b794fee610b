//! How often callers may ask, counted in Redis for all processes together: one script, one round trip, and keys that are gone
//! as soon as nothing is owed.
//!
//! The time is the house's clock, which all processes share, and not Redis' own: a failover of Redis does not set it back, and
//! tests can move it. Redis is waited for no longer than a moment. Where it does not answer this process counts alone, going
//! on from what it knows, and looks for Redis in the background: no request waits for that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::Script;
use redis::aio::ConnectionManager;

use super::local::LocalLimits;
use super::{RateLimit, Verdict};
use crate::{WakeConfig, WakeError};

/// Between two looks for a Redis that is away. Longer than a request's patience: none waits for the lost connection any more.
const PAUSE: Duration = Duration::from_secs(1);
const SCRIPT: &str = include_str!("gcra.lua");
/// The request that looks whether Redis counts: its key is gone after a millisecond.
const PROBE: (&str, RateLimit, i64) = ("probe", RateLimit::per_minute(6_000_000), 0);

/// Counts requests; clones share one connection and one memory.
#[derive(Clone)]
pub struct RateLimiter(Arc<Inner>);

struct Inner {
    redis: WakeConfig,
    patience: Duration,
    script: Script,
    /// `None` while Redis is away.
    conn: Mutex<Option<ConnectionManager>>,
    local: LocalLimits,
}

impl std::fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimiter")
            .field("namespace", &self.0.redis.namespace)
            .finish_non_exhaustive()
    }
}

impl RateLimiter {
    /// How long a request waits for Redis: little beside what an order may take. Then the process does without.
    pub const PATIENCE: Duration = Duration::from_millis(50);

    /// Opens the way in the background, so this works while Redis is away. Needs a tokio runtime. A request waits `patience` for
    /// Redis, usually [`RateLimiter::PATIENCE`].
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn connect(redis: WakeConfig, patience: Duration) -> Result<Self, WakeError> {
        let conn = redis.connection()?;
        let inner = Arc::new(Inner {
            redis,
            patience,
            script: Script::new(SCRIPT),
            conn: Mutex::new(Some(conn.clone())),
            local: LocalLimits::default(),
        });
        tokio::spawn(open(inner.clone(), conn));
        Ok(Self(inner))
    }

    /// Counts one request of `caller`, a name that tells it from all others.
    pub async fn check(&self, caller: &str, limit: RateLimit, now: DateTime<Utc>) -> Verdict {
        let (inner, now) = (&self.0, now.timestamp_micros());
        // a flood ends here, and does not reach Redis
        if let Some(refused) = inner.local.refusal(caller, limit, now) {
            return refused;
        }
        if let Some(verdict) = inner.ask(caller, limit, now).await {
            inner.local.learn(caller, &verdict, now);
            return verdict;
        }
        metrics::counter!("switchyard_rate_limit_fallbacks_total").increment(1);
        inner.local.judge(caller, limit, now)
    }
}

impl Inner {
    /// What Redis says. `None`: it is away.
    async fn ask(self: &Arc<Self>, caller: &str, limit: RateLimit, now: i64) -> Option<Verdict> {
        let conn = self.conn().clone()?;
        match self.run(conn, self.patience, (caller, limit, now)).await {
            Ok(verdict) => Some(verdict),
            Err(error) => {
                self.lose(&error);
                None
            }
        }
    }

    async fn run(
        &self,
        mut conn: ConnectionManager,
        patience: Duration,
        (caller, limit, now): (&str, RateLimit, i64),
    ) -> Result<Verdict, WakeError> {
        let mut call = self.script.key(format!("{}:rate:{caller}", self.redis.namespace));
        call.arg(now).arg(limit.cost()).arg(limit.most());
        let answer = call.invoke_async::<(bool, i64)>(&mut conn);
        let answer = tokio::time::timeout(patience, answer).await;
        let (allowed, debt) = answer.map_err(|_| WakeError::Timeout)??;
        Ok(Verdict { limit, allowed, debt })
    }

    /// Of all requests that find Redis away, the first one tells and has somebody look for it.
    fn lose(self: &Arc<Self>, error: &WakeError) {
        if self.conn().take().is_some() {
            tracing::warn!(%error, "Redis does not count requests: this process counts them alone");
            tokio::spawn(look_for_redis(Arc::downgrade(self)));
        }
    }

    /// A connection over which Redis counts, writes included, and as fast as it has to.
    async fn find(&self) -> Result<ConnectionManager, WakeError> {
        // a new one: the old one may wait for a machine that is gone
        let conn = self.redis.connection()?;
        self.run(conn.clone(), self.opening(), PROBE).await?;
        self.run(conn.clone(), self.patience, PROBE).await?;
        Ok(conn)
    }

    /// How long an answer may take that a connection has to be opened for.
    const fn opening(&self) -> Duration {
        self.redis.connect_timeout.saturating_add(self.patience)
    }

    fn conn(&self) -> MutexGuard<'_, Option<ConnectionManager>> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opening may take longer than the first request would wait. If it fails, that request finds out.
async fn open(inner: Arc<Inner>, conn: ConnectionManager) {
    if let Err(error) = inner.run(conn, inner.opening(), PROBE).await {
        tracing::debug!(%error, "Redis does not count requests yet");
    }
}

/// Ends when Redis counts again, or nobody asks any more.
async fn look_for_redis(limiter: Weak<Inner>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(inner) = limiter.upgrade() else {
            return;
        };
        match inner.find().await {
            Ok(conn) => {
                *inner.conn() = Some(conn);
                tracing::info!("Redis counts requests again");
                return;
            }
            Err(error) => tracing::debug!(%error, "Redis does not count requests yet"),
        }
    }
}
