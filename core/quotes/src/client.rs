//! The call. Redirects are not followed, proxies of the environment not used, an answer is bounded in time and bytes and is
//! not unpacked, and only https is spoken unless the settings allow otherwise.

use std::time::Duration;

use futures::future::join_all;
use reqwest::header::ACCEPT;
use reqwest::{Client, StatusCode, redirect};
use url::Url;

use crate::extract::extract;
use crate::{QuoteError, Quotes, sun_per_usdt};

/// How much of a price's text is kept.
const KEPT: usize = 64;

/// Within which bounds sources are asked.
#[derive(Debug, Clone, Copy)]
pub struct QuotePolicy {
    /// A call that takes longer, from the resolution of the name to the last byte, has failed.
    pub timeout: Duration,
    /// A longer answer is refused.
    pub max_bytes: usize,
    /// Whether http is spoken, too: for development and tests.
    pub plain_http: bool,
}

/// Whom to ask, and where in the answer the price stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name in metrics and in stored rounds.
    pub name: String,
    /// What is called.
    pub url: String,
    /// Where the price is.
    pub pointer: String,
    /// What the price is of.
    pub quotes: Quotes,
}

/// What a source said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Who.
    pub source: String,
    /// The price's text as it was sent, its beginning where it is long; `None` where none came.
    pub text: Option<String>,
    /// The rate that it makes, in sun per USDT, or why it makes none.
    pub rate: Result<i64, QuoteError>,
}

/// Asks sources. Cheap to clone.
#[derive(Debug, Clone)]
pub struct QuoteClient {
    http: Client,
    policy: QuotePolicy,
}

impl QuoteClient {
    /// A client that asks within these bounds. A TLS provider must be installed.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(policy: QuotePolicy) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .no_gzip()
            .referer(false)
            .user_agent(concat!("Switchyard/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(policy.timeout)
            .timeout(policy.timeout)
            .pool_max_idle_per_host(1)
            .build()?;
        Ok(Self { http, policy })
    }

    /// Asks all at once, and answers in their order. One that fails harms no other.
    pub async fn ask_all(&self, sources: &[Source]) -> Vec<Answer> {
        join_all(sources.iter().map(|source| self.ask(source))).await
    }

    async fn ask(&self, source: &Source) -> Answer {
        let found = match self.body(&source.url).await {
            Ok(body) => extract(&body, &source.pointer),
            Err(error) => Err(error),
        };
        let rate = found
            .as_ref()
            .map_err(|error| *error)
            .and_then(|text| Ok(sun_per_usdt(text, source.quotes)?));
        let kept = |text: String| text.chars().take(KEPT).filter(|c| !c.is_control()).collect();
        Answer {
            source: source.name.clone(),
            text: found.ok().map(kept),
            rate,
        }
    }

    async fn body(&self, url: &str) -> Result<Vec<u8>, QuoteError> {
        let url = Url::parse(url).map_err(|_| QuoteError::Url)?;
        let spoken = url.scheme() == "https" || (self.policy.plain_http && url.scheme() == "http");
        if !spoken {
            return Err(QuoteError::Url);
        }
        let asked = self.http.get(url).header(ACCEPT, "application/json").send();
        let mut response = asked.await.map_err(|error| explain(&error))?;
        if response.status() != StatusCode::OK {
            return Err(QuoteError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
            if body.len().saturating_add(chunk.len()) > self.policy.max_bytes {
                return Err(QuoteError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn explain(error: &reqwest::Error) -> QuoteError {
    if error.is_timeout() {
        QuoteError::Timeout
    } else if error.is_connect() {
        QuoteError::Connect
    } else {
        QuoteError::Broken
    }
}

#[cfg(test)]
mod tests;
