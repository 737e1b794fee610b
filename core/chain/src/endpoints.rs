//! An ordered list of HTTP endpoints behind one face: time and size bounds, rate limit, health, failover, metrics.
//!
//! What a question or an answer means is the caller's; so is whether an answer may be asked for twice.
//!
//! The first endpoint of the list that is not resting is asked first. A call tries each endpoint at most once, and at most
//! [`MAX_ATTEMPTS`] of them; where all are resting it fails at once, since somebody with a queue and a backoff is waiting.
//!
//! Before an [`EndpointList`] is made, the process has to install a rustls crypto provider.

mod config;
mod endpoint;
mod health;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use kernel::Clock;

pub use config::{ApiKey, EndpointConfig, EndpointsError};
pub use endpoint::{Endpoint, Failure, Request, Side, Unusable};

use crate::ChainError;

/// How many endpoints one call may try.
pub const MAX_ATTEMPTS: usize = 4;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The endpoints of one network, best first.
#[derive(Debug)]
pub struct EndpointList {
    network: String,
    endpoints: Vec<Endpoint>,
}

impl EndpointList {
    /// Checks the configuration and prepares the connections; nothing is sent yet.
    ///
    /// # Errors
    /// [`EndpointsError`] for an empty list, two endpoints of one name, a wrong address, key, rate or timeout.
    pub fn new(network: &str, configs: &[EndpointConfig], clock: &Arc<dyn Clock>) -> Result<Self, EndpointsError> {
        if configs.is_empty() {
            return Err(EndpointsError::Empty {
                network: network.to_owned(),
            });
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(EndpointsError::Client)?;
        let mut endpoints: Vec<Endpoint> = Vec::with_capacity(configs.len());
        for config in configs {
            if endpoints.iter().any(|known| known.name() == config.name) {
                return Err(config.wrong("name", "is used twice"));
            }
            endpoints.push(Endpoint::new(network, config, http.clone(), Arc::clone(clock))?);
        }
        Ok(Self {
            network: network.to_owned(),
            endpoints,
        })
    }

    /// The network's name.
    #[must_use]
    pub fn network(&self) -> &str {
        &self.network
    }

    /// Asks the endpoints in order until one gives an answer that `read` takes. For questions, which may be asked twice.
    ///
    /// # Errors
    /// [`ChainError::Unavailable`], or [`ChainError::Malformed`] if the last one asked gave an answer without use.
    pub async fn call<T>(
        &self,
        request: &Request<'_>,
        read: impl Fn(&[u8]) -> Result<T, Unusable> + Send + Sync,
    ) -> Result<T, ChainError> {
        let mut attempts = self.attempts();
        loop {
            match attempts.next()?.ask(request, &read).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => attempts.failed(failure),
            }
        }
    }

    /// The endpoints to try for one call, one after the other.
    #[must_use]
    pub fn attempts(&self) -> Attempts<'_> {
        Attempts {
            list: self,
            place: 0,
            made: 0,
            asked: None,
            last: None,
        }
    }
}

/// The endpoints that one call has tried and has yet to try.
#[derive(Debug)]
pub struct Attempts<'a> {
    list: &'a EndpointList,
    place: usize,
    made: usize,
    asked: Option<&'a Endpoint>,
    last: Option<(&'a Endpoint, Failure)>,
}

impl<'a> Attempts<'a> {
    /// The next endpoint that is not resting.
    ///
    /// # Errors
    /// If there is none: [`ChainError::Malformed`] if the failure that [`Self::failed`] was last told of is an unusable answer,
    /// else [`ChainError::Unavailable`].
    #[expect(clippy::should_implement_trait, reason = "an iterator could not say why it ended")]
    pub fn next(&mut self) -> Result<&'a Endpoint, ChainError> {
        while self.made < MAX_ATTEMPTS
            && let Some(endpoint) = self.list.endpoints.get(self.place)
        {
            self.place += 1;
            if !endpoint.is_resting() {
                self.made += 1;
                self.asked = Some(endpoint);
                return Ok(endpoint);
            }
        }
        let network = self.list.network.clone();
        Err(match &self.last {
            Some((endpoint, Failure::Unusable(unusable))) if !unusable.throttled => ChainError::Malformed {
                network,
                detail: format!("{}: {}", endpoint.name(), unusable.detail),
            },
            Some((endpoint, failure)) => ChainError::Unavailable {
                network,
                last: format!("{}: {failure}", endpoint.name()),
            },
            None => ChainError::Unavailable {
                network,
                last: "every endpoint is resting".to_owned(),
            },
        })
    }

    /// Notes why the endpoint that [`Self::next`] gave did not do.
    pub fn failed(&mut self, failure: Failure) {
        self.last = self.asked.map(|endpoint| (endpoint, failure));
    }
}
