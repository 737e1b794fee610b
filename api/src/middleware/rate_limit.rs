//! How often each key may ask, per minute, in this process: with N replicas a key may ask N times as often.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use domain::api_keys::Principal;
use governor::clock::Clock as _;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use kernel::{ApiKeyId, Clock};

use crate::problem::{Code, Problem};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// The house's clock as governor wants it.
#[derive(Debug, Clone)]
struct Ticks(Arc<dyn Clock>);

impl governor::clock::Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let micros = u64::try_from(self.0.now().timestamp_micros()).unwrap_or(0);
        Nanos::from(micros.saturating_mul(1000))
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, StateInformationMiddleware>;

/// One limiter per key that was ever seen; there are as many as there are keys.
pub(crate) struct RateLimits {
    clock: Ticks,
    limiters: Mutex<HashMap<ApiKeyId, (u32, Arc<Limiter>)>>,
}

impl std::fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RateLimits")
    }
}

/// What a key has left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    limit: u32,
    remaining: u32,
    reset_s: u64,
}

impl RateLimits {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock: Ticks(clock),
            limiters: Mutex::default(),
        }
    }

    /// Counts one request of the key.
    pub(super) fn check(&self, principal: &Principal) -> Result<Allowance, Problem> {
        let limit = principal.rate_limit_per_minute.max(1);
        match self.limiter(principal.key, limit).check() {
            Ok(snapshot) => {
                let remaining = snapshot.remaining_burst_capacity();
                let used = u64::from(limit.saturating_sub(remaining));
                let reset_s = used.saturating_mul(60).div_ceil(u64::from(limit));
                Ok(Allowance {
                    limit,
                    remaining,
                    reset_s,
                })
            }
            Err(refused) => {
                let wait = refused.wait_time_from(self.clock.now());
                let wait_s = wait.as_millis().div_ceil(1000).max(1).to_string();
                Err(Problem::new(Code::RateLimited)
                    .with_detail(format!("at most {limit} requests per minute"))
                    .with_header(LIMIT, limit.to_string())
                    .with_header(REMAINING, "0")
                    .with_header(RESET, &wait_s)
                    .with_header(RETRY_AFTER, wait_s))
            }
        }
    }

    fn limiter(&self, key: ApiKeyId, limit: u32) -> Arc<Limiter> {
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        match limiters.get(&key) {
            Some((known, limiter)) if *known == limit => limiter.clone(),
            _ => {
                let quota = Quota::per_minute(NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN));
                let limiter = RateLimiter::direct_with_clock(quota, self.clock.clone()).with_middleware();
                let limiter = Arc::new(limiter);
                limiters.insert(key, (limit, limiter.clone()));
                limiter
            }
        }
    }
}

impl Allowance {
    pub(super) fn write(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RESET, HeaderValue::from(self.reset_s));
    }
}
