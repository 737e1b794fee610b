//! What an endpoint's configuration has to say. No part of it that may hold a secret is ever shown.

use std::fmt;

use kernel::ErrorClass;
use reqwest::Url;
use serde::Deserialize;

/// One endpoint.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// What it is called in logs and metrics.
    pub name: String,
    /// Where paths are appended, `http` or `https`. Not shown: some providers put the key into it.
    pub url: String,
    /// The same for solidified data, where that is another address.
    #[serde(default)]
    pub solidity_url: Option<String>,
    /// Sent as `TRON-PRO-API-KEY`.
    #[serde(default)]
    pub api_key: Option<ApiKey>,
    /// Calls that we may make in a second.
    pub requests_per_second: u32,
    /// How long a whole call may take.
    pub timeout_ms: u64,
}

impl EndpointConfig {
    pub(super) fn wrong(&self, key: &'static str, problem: &'static str) -> EndpointsError {
        EndpointsError::Wrong {
            endpoint: self.name.clone(),
            key,
            problem,
        }
    }

    /// The two addresses, checked, without a slash at the end.
    pub(super) fn bases(&self) -> Result<[String; 2], EndpointsError> {
        let full = self.base("url", &self.url)?;
        let solid = match &self.solidity_url {
            Some(url) => self.base("solidity_url", url)?,
            None => full.clone(),
        };
        Ok([full, solid])
    }

    fn base(&self, key: &'static str, text: &str) -> Result<String, EndpointsError> {
        let problem = "is not an http or https address without query and fragment";
        let url = Url::parse(text).map_err(|_| self.wrong(key, problem))?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.has_host();
        if !plain || !matches!(url.scheme(), "http" | "https") {
            return Err(self.wrong(key, problem));
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }
}

impl fmt::Debug for EndpointConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointConfig")
            .field("name", &self.name)
            .field("requests_per_second", &self.requests_per_second)
            .field("timeout_ms", &self.timeout_ms)
            .finish_non_exhaustive()
    }
}

/// A provider's key. Never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct ApiKey(String);

impl ApiKey {
    /// Wraps a key.
    #[must_use]
    pub const fn new(key: String) -> Self {
        Self(key)
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

/// Why a list of endpoints cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointsError {
    /// Nobody to ask.
    #[error("network {network} has no endpoints")]
    Empty {
        /// The network.
        network: String,
    },
    /// A value that cannot be.
    #[error("endpoint {endpoint}: {key} {problem}")]
    Wrong {
        /// The endpoint.
        endpoint: String,
        /// The key of its configuration.
        key: &'static str,
        /// What is wrong with the value, which is not shown.
        problem: &'static str,
    },
    /// The HTTP client could not be made.
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
}

impl EndpointsError {
    /// All of them are for whoever wrote the configuration.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}
