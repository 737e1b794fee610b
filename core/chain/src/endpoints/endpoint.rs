//! One endpoint: a bounded, counted call, and what its failure means for the endpoint's health.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::DateTime;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use kernel::Clock;
use metrics::{counter, gauge, histogram};
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response};
use serde_json::Value;

use super::config::{EndpointConfig, EndpointsError};
use super::health::{Health, Weight};

/// How long a call may wait for the rate limit before it counts as failed and the next endpoint is asked.
const MAX_RATE_WAIT: Duration = Duration::from_secs(2);

/// Which of an endpoint's two addresses is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Everything up to the head.
    Full,
    /// Only what can no longer be reverted.
    Solid,
}

/// One question, sent as a POST.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Which address.
    pub side: Side,
    /// Appended to it, with its leading slash; also the `method` label of the metrics.
    pub path: &'static str,
    /// Sent as JSON.
    pub body: &'a Value,
    /// The longest answer that is read, after decompression.
    pub max_bytes: usize,
}

/// Why an answer with status 200 does not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// What is wrong with it, without secrets.
    pub detail: String,
    /// Whether it says that we ask too much.
    pub throttled: bool,
}

impl Unusable {
    /// An answer that is wrong in itself.
    #[must_use]
    pub fn new(detail: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            throttled: false,
        }
    }
}

/// Why one endpoint gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Our own rate limit: nothing was sent.
    Limited,
    /// No connection: nothing was sent.
    Connect(String),
    /// No whole answer in time. What was asked may have been done.
    Timeout,
    /// The connection broke. What was asked may have been done.
    Transport(String),
    /// Another status than 200, with how long to stay away if it said so.
    Status(u16, Option<Duration>),
    /// A longer answer than the question allows.
    TooLarge,
    /// Status 200 and no use.
    Unusable(Unusable),
}

impl Failure {
    /// A short word for metrics and rows.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Limited => "rate_limited".to_owned(),
            Self::Connect(_) => "connect".to_owned(),
            Self::Timeout => "timeout".to_owned(),
            Self::Transport(_) => "transport".to_owned(),
            Self::Status(status, _) => format!("http_{status}"),
            Self::TooLarge => "too_large".to_owned(),
            Self::Unusable(_) => "malformed".to_owned(),
        }
    }

    /// Whether it is certain that the endpoint saw nothing of the question.
    #[must_use]
    pub const fn nothing_was_sent(&self) -> bool {
        matches!(self, Self::Limited | Self::Connect(_))
    }

    const fn weight(&self) -> Option<Weight> {
        Some(match self {
            Self::Limited => return None,
            Self::Status(403 | 429 | 503, asked) => Weight::Throttled(*asked),
            Self::Unusable(Unusable { throttled: true, .. }) => Weight::Throttled(None),
            Self::Connect(_) | Self::Timeout | Self::Transport(_) | Self::Status(500.., _) => Weight::Broken,
            Self::Status(..) | Self::TooLarge | Self::Unusable(_) => Weight::Unusable,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limited => f.write_str("our rate limit for it is used up"),
            Self::Connect(detail) => write!(f, "cannot connect: {detail}"),
            Self::Timeout => f.write_str("no whole answer in time"),
            Self::Transport(detail) => write!(f, "connection broken: {detail}"),
            Self::Status(status, _) => write!(f, "HTTP status {status}"),
            Self::TooLarge => f.write_str("answer too large"),
            Self::Unusable(unusable) => write!(f, "unusable answer: {}", unusable.detail),
        }
    }
}

/// One endpoint of a network.
pub struct Endpoint {
    network: String,
    name: String,
    bases: [String; 2],
    headers: HeaderMap,
    timeout: Duration,
    http: Client,
    limiter: DefaultDirectRateLimiter,
    turn: tokio::sync::Mutex<()>,
    health: Health,
}

impl Endpoint {
    pub(super) fn new(
        network: &str,
        config: &EndpointConfig,
        http: Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, EndpointsError> {
        let rate = NonZeroU32::new(config.requests_per_second)
            .ok_or_else(|| config.wrong("requests_per_second", "must be at least 1"))?;
        if !(1..=120_000).contains(&config.timeout_ms) {
            return Err(config.wrong("timeout_ms", "must be 1 to 120000"));
        }
        let mut headers = HeaderMap::new();
        if let Some(key) = &config.api_key {
            let mut value = HeaderValue::from_str(key.expose())
                .map_err(|_| config.wrong("api_key", "has characters that a header cannot carry"))?;
            value.set_sensitive(true);
            headers.insert("TRON-PRO-API-KEY", value);
        }
        let endpoint = Self {
            network: network.to_owned(),
            name: config.name.clone(),
            bases: config.bases()?,
            headers,
            timeout: Duration::from_millis(config.timeout_ms),
            http,
            limiter: RateLimiter::direct(Quota::per_second(rate)),
            turn: tokio::sync::Mutex::default(),
            health: Health::new(clock),
        };
        endpoint.show_health(true);
        Ok(endpoint)
    }

    /// What it is called in logs and metrics.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is left alone for now.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        self.health.is_resting()
    }

    /// Asks once. `read` turns the body into the answer, or says why it is none.
    ///
    /// # Errors
    /// [`Failure`]; it has been counted, and the endpoint rests if it should.
    pub async fn ask<T>(
        &self,
        request: &Request<'_>,
        read: impl FnOnce(&[u8]) -> Result<T, Unusable>,
    ) -> Result<T, Failure> {
        self.wait_for_rate(request).await?;
        let started = Instant::now();
        let body = self.exchange(request).await;
        let took = started.elapsed();
        let answer = body.and_then(|body| read(&body).map_err(Failure::Unusable));
        let labels = self.labels(request);
        histogram!("switchyard_node_call_seconds", &labels).record(took);
        match &answer {
            Ok(_) => {
                self.count(request, "ok".to_owned());
                self.health.succeeded();
                if !self.is_resting() {
                    self.show_health(true);
                }
            }
            Err(failure) => self.note(request, failure),
        }
        answer
    }

    /// Notes that an answer which `read` took turned out not to do, when compared with others.
    pub fn disappointed(&self, request: &Request<'_>, unusable: Unusable) -> Failure {
        let failure = Failure::Unusable(unusable);
        self.note(request, &failure);
        failure
    }

    fn note(&self, request: &Request<'_>, failure: &Failure) {
        self.count(request, failure.code());
        let Some(rest) = failure.weight().and_then(|weight| self.health.failed(weight)) else {
            return;
        };
        self.show_health(false);
        let (network, endpoint, rest_ms) = (&self.network, &self.name, rest.as_millis());
        tracing::warn!(%network, %endpoint, rest_ms, %failure, path = request.path, "endpoint rests");
    }

    /// Callers queue in order, so that none of them starves while others overtake it.
    async fn wait_for_rate(&self, request: &Request<'_>) -> Result<(), Failure> {
        let admitted = tokio::time::timeout(MAX_RATE_WAIT, async {
            let _turn = self.turn.lock().await;
            self.limiter.until_ready().await;
        });
        admitted.await.map_err(|_| {
            self.note(request, &Failure::Limited);
            Failure::Limited
        })
    }

    async fn exchange(&self, request: &Request<'_>) -> Result<Vec<u8>, Failure> {
        let base = match request.side {
            Side::Full => &self.bases[0],
            Side::Solid => &self.bases[1],
        };
        let response = self
            .http
            .post(format!("{base}{}", request.path))
            .headers(self.headers.clone())
            .json(request.body)
            .timeout(self.timeout)
            .send()
            .await
            .map_err(transport)?;
        let status = response.status();
        if status.as_u16() != 200 {
            return Err(Failure::Status(status.as_u16(), retry_after(response.headers())));
        }
        read_body(response, request.max_bytes).await
    }

    fn labels(&self, request: &Request<'_>) -> [(&'static str, String); 3] {
        [
            ("network", self.network.clone()),
            ("endpoint", self.name.clone()),
            ("method", request.path.trim_start_matches('/').to_owned()),
        ]
    }

    fn count(&self, request: &Request<'_>, outcome: String) {
        let [network, endpoint, method] = self.labels(request);
        let labels = [network, endpoint, method, ("outcome", outcome)];
        counter!("switchyard_node_calls_total", &labels).increment(1);
    }

    fn show_health(&self, healthy: bool) {
        let labels = [("network", self.network.clone()), ("endpoint", self.name.clone())];
        gauge!("switchyard_node_endpoint_healthy", &labels).set(u32::from(healthy));
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("name", &self.name)
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}

/// Reads the body piece by piece and stops where it grows too long.
async fn read_body(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(transport)? {
        if body.len() + chunk.len() > max_bytes {
            return Err(Failure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The error without the address, which may hold a key.
fn transport(error: reqwest::Error) -> Failure {
    if error.is_connect() {
        return Failure::Connect(root_cause(&error.without_url()));
    }
    if error.is_timeout() {
        return Failure::Timeout;
    }
    Failure::Transport(root_cause(&error.without_url()))
}

/// The innermost reason: the outer ones only say that a request failed.
fn root_cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// `Retry-After` in seconds, or as a date relative to the answer's own `Date`.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?;
    let sent = DateTime::parse_from_rfc2822(headers.get(reqwest::header::DATE)?.to_str().ok()?).ok()?;
    (until - sent).to_std().ok()
}
