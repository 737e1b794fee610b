//! One call. A name is resolved here, each of its addresses is checked, and the connection goes to one of these: there is
//! no second resolution that could answer otherwise. Redirects are not followed, proxies of the environment not used, and
//! only the beginning of the answer is read.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, redirect};

use crate::{Target, TargetError, TargetPolicy};

/// How much of an answer is kept.
pub const KEPT: usize = 1_024;
/// How many connections to one host wait for the next message.
const IDLE_PER_HOST: usize = 4;
/// How long they wait: a name may have moved since.
const IDLE: Duration = Duration::from_secs(30);

/// Within which bounds a call is made.
#[derive(Debug, Clone, Copy)]
pub struct CallPolicy {
    /// What may be called.
    pub target: TargetPolicy,
    /// A call that takes longer, from the resolution of the name to the kept part of the answer, has failed.
    pub timeout: Duration,
}

/// What the receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The first kilobyte of the body, as text.
    pub body: String,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<Duration>,
    /// How long the call took.
    pub took: Duration,
}

/// Why there was no answer. Holds nothing of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The address is not called.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The name resolves to an address that is not called, or to none.
    #[error("the name resolves to an address that is not called")]
    Resolved,
    /// No connection, or no TLS.
    #[error("no connection: {0}")]
    Connect(String),
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke, or what came is not HTTP.
    #[error("the call broke: {0}")]
    Broken(String),
}

impl SendError {
    /// Whether the receiver let us wait for nothing.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout)
    }
}

/// Sends messages. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WebhookClient {
    http: Client,
    policy: CallPolicy,
}

/// What a message is made of besides its body.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`: seconds since 1970.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: &'a str,
}

impl WebhookClient {
    /// A client that calls within these bounds. A TLS provider must be installed.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(policy: CallPolicy) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .no_gzip()
            .referer(false)
            .user_agent(concat!("Switchyard-Webhooks/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Checked(policy.target))
            .connect_timeout(policy.timeout)
            .timeout(policy.timeout)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .pool_idle_timeout(IDLE)
            .build()?;
        Ok(Self { http, policy })
    }

    /// Which targets are called.
    #[must_use]
    pub const fn target_policy(&self) -> TargetPolicy {
        self.policy.target
    }

    /// Sends one message once.
    ///
    /// # Errors
    /// [`SendError`] when there was no answer. Whether the message arrived is then unknown, but for the first two.
    pub async fn send(&self, url: &str, headers: Headers<'_>, body: Vec<u8>) -> Result<Answer, SendError> {
        let target = Target::parse(url, self.policy.target)?;
        let started = Instant::now();
        let sent = self
            .http
            .post(target.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", headers.id)
            .header("webhook-timestamp", headers.timestamp)
            .header("webhook-signature", headers.signature)
            .body(body)
            .send();
        let mut response = sent.await.map_err(explain)?;
        let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
        let mut kept = Vec::with_capacity(KEPT);
        // the status is the answer: a body that breaks off or trickles takes nothing away from it
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = KEPT - kept.len();
            kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if kept.len() == KEPT {
                break;
            }
        }
        Ok(Answer {
            status,
            body: String::from_utf8_lossy(&kept).replace('\0', "\u{fffd}"),
            retry_after,
            took: started.elapsed(),
        })
    }
}

/// Resolves names, and gives out only those all of whose addresses may be called.
struct Checked(TargetPolicy);

/// The name may not be called.
#[derive(Debug, thiserror::Error)]
#[error("not to be called")]
struct Refused;

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.is_empty() || !found.iter().all(|address| policy.may_call(address.ip())) {
                return Err(Box::new(Refused) as Box<dyn StdError + Send + Sync>);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn explain(error: reqwest::Error) -> SendError {
    let error = error.without_url();
    let mut innermost: &(dyn StdError + 'static) = &error;
    loop {
        if innermost.is::<Refused>() {
            return SendError::Resolved;
        }
        match innermost.source() {
            Some(source) => innermost = source,
            None => break,
        }
    }
    if error.is_timeout() {
        return SendError::Timeout;
    }
    let cause: String = innermost.to_string().chars().take(300).collect();
    if error.is_connect() {
        SendError::Connect(cause)
    } else {
        SendError::Broken(cause)
    }
}

/// `Retry-After` in seconds. As a date it would need the receiver's clock to be right, and is passed over.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    text.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
