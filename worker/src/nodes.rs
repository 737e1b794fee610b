//! Chain clients out of the settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use chain::endpoints::{ApiKey, EndpointConfig, EndpointList};
use chrono::Duration;
use domain::transactions::ResendPolicy;
use kernel::Clock;
use settings::{Network, NetworkKind, Settings};
use tron::TronClient;

use crate::environment::NetworkEnvironment;

/// Every configured network.
///
/// # Errors
/// An endpoint that cannot be used as configured, by name.
pub fn networks(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<BTreeMap<String, NetworkEnvironment>> {
    settings
        .networks
        .iter()
        .map(|(name, network)| Ok((name.clone(), environment(name, network, clock)?)))
        .collect()
}

fn environment(name: &str, network: &Network, clock: &Arc<dyn Clock>) -> anyhow::Result<NetworkEnvironment> {
    let endpoints: Vec<EndpointConfig> = network
        .endpoints
        .iter()
        .map(|endpoint| EndpointConfig {
            name: endpoint.name.clone(),
            url: endpoint.url.expose().to_owned(),
            solidity_url: endpoint.solidity_url.as_ref().map(|url| url.expose().to_owned()),
            api_key: network
                .api_key(&endpoint.name)
                .map(|key| ApiKey::new(key.expose().to_owned())),
            requests_per_second: endpoint.requests_per_second,
            timeout_ms: endpoint.timeout_ms,
        })
        .collect();
    let chain = match network.kind {
        NetworkKind::Tron => Arc::new(TronClient::new(EndpointList::new(name, &endpoints, clock)?)),
    };
    let usdt = network.token("USDT").map(str::parse).transpose();
    let usdt = usdt.with_context(|| format!("networks.{name}.tokens.USDT"))?;
    let expiry = Duration::seconds(i64::try_from(network.transaction_expiry_s)?);
    let after = Duration::milliseconds(i64::try_from(network.resend_after_ms)?);
    Ok(NetworkEnvironment {
        chain,
        usdt,
        expiry,
        resend: ResendPolicy {
            after,
            at_most: expiry.max(after),
        },
    })
}
