//! How often each key and each address may ask, per minute, counted for all replicas together.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use domain::principals::Principal;
use domain::runtime_settings::Live;
use jobs::{RateLimit, RateLimiter, Verdict};
use kernel::Clock;

use super::client;
use crate::problem::{Code, Problem};
use crate::rules::Rules;

pub(super) const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
pub(super) const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
pub(super) const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// The limits of keys are theirs; those of addresses are settings.
#[derive(Debug)]
pub(crate) struct RateLimits {
    limiter: RateLimiter,
    clock: Arc<dyn Clock>,
    rules: Arc<Live<Rules>>,
}

/// What a key has left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance(Verdict);

impl RateLimits {
    pub(crate) fn new(limiter: RateLimiter, clock: Arc<dyn Clock>, rules: Arc<Live<Rules>>) -> Self {
        // a counter that appears is no increase: these start at zero, so that their first event can raise an alert
        metrics::counter!("switchyard_rate_limit_fallbacks_total").increment(0);
        for by in ["key", "address"] {
            metrics::counter!("switchyard_rate_limited_total", "by" => by).increment(0);
        }
        Self { limiter, clock, rules }
    }

    /// Counts one request of the key.
    pub(super) async fn check_key(&self, principal: &Principal) -> Result<Allowance, Problem> {
        let limit = RateLimit::per_minute(principal.rate_limit_per_minute);
        let caller = format!("key:{}", principal.key);
        let verdict = self.limiter.check(&caller, limit, self.clock.now()).await;
        if verdict.allowed() {
            return Ok(Allowance(verdict));
        }
        Err(refused(&verdict, "key", ""))
    }

    /// Whether a signature was not used within the last minute, which is as long as one is good. Where Redis is away this process alone
    /// remembers: what writes is carried out once by its Idempotency-Key all the same.
    pub(super) async fn is_first_use(&self, signature: &str) -> bool {
        let once = RateLimit::per_minute(1);
        let caller = format!("signature:{signature}");
        self.limiter.check(&caller, once, self.clock.now()).await.allowed()
    }

    /// Counts one request that no key speaks for that is known to be right. A connection always has an address; what has none was not sent
    /// over one.
    pub(super) async fn check_address(&self, client: Option<IpAddr>) -> Result<(), Problem> {
        // 0: addresses have none
        let per_minute = self.rules.get().settings.api.ip_requests_per_minute;
        let Some(client) = client.filter(|_| per_minute > 0) else {
            return Ok(());
        };
        let limit = RateLimit::per_minute(per_minute);
        let caller = format!("ip:{}", client::counted_as(client));
        let verdict = self.limiter.check(&caller, limit, self.clock.now()).await;
        if verdict.allowed() {
            return Ok(());
        }
        Err(refused(&verdict, "address", " from one address without a right key"))
    }
}

impl RateLimits {
    /// Counts one request to a route that anybody may call.
    pub(super) async fn check_stranger(&self, client: Option<IpAddr>) -> Result<(), Problem> {
        self.check_address(client).await?;
        let Some(client) = client else {
            return Ok(());
        };
        let limit = RateLimit::per_minute(self.rules.get().settings.operators.ip_sign_ins_per_minute);
        let caller = format!("stranger:{}", client::counted_as(client));
        let verdict = self.limiter.check(&caller, limit, self.clock.now()).await;
        if verdict.allowed() {
            return Ok(());
        }
        Err(refused(&verdict, "address", " from one address to sign in"))
    }
}

fn refused(verdict: &Verdict, by: &'static str, whose: &str) -> Problem {
    metrics::counter!("switchyard_rate_limited_total", "by" => by).increment(1);
    let limit = verdict.limit().requests();
    let wait_s = verdict.retry_after_s().to_string();
    Problem::new(Code::RateLimited)
        .with_detail(format!("at most {limit} requests per minute{whose}"))
        .with_header(LIMIT, limit.to_string())
        .with_header(REMAINING, "0")
        .with_header(RESET, &wait_s)
        .with_header(RETRY_AFTER, wait_s)
}

impl Allowance {
    pub(super) fn write(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, HeaderValue::from(self.0.limit().requests()));
        headers.insert(REMAINING, HeaderValue::from(self.0.remaining()));
        headers.insert(RESET, HeaderValue::from(self.0.reset_s()));
    }
}
