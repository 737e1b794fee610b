//! Chain clients out of the settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use chain::TronAddress;
use chain::endpoints::{ApiKey, EndpointConfig, EndpointList};
use chrono::Duration;
use domain::deposits::CreditPolicy;
use domain::rates::RatePolicy;
use domain::transactions::ResendPolicy;
use kernel::{Amount, Asset, Clock};
use settings::{Network, NetworkKind, Settings, UsdtDeposits};
use tron::TronClient;

use crate::environment::NetworkEnvironment;
use crate::{rates, rentals};

/// Every configured network.
///
/// # Errors
/// An endpoint that cannot be used as configured, by name.
pub fn networks(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<BTreeMap<String, NetworkEnvironment>> {
    settings
        .networks
        .iter()
        .map(|(name, network)| Ok((name.clone(), environment((name, network), settings, clock)?)))
        .collect()
}

fn environment(
    (name, network): (&str, &Network),
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<NetworkEnvironment> {
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
    let tokens = tokens(name, network)?;
    let chain = match network.kind {
        NetworkKind::Tron => {
            let contracts = tokens.keys().copied().collect();
            Arc::new(TronClient::new(EndpointList::new(name, &endpoints, clock)?, contracts))
        }
    };
    let usdt = tokens.iter().find(|(_, asset)| **asset == Asset::Usdt);
    let usdt = usdt.map(|(contract, _)| *contract);
    let expiry = Duration::seconds(i64::try_from(network.transaction_expiry_s)?);
    let after = Duration::milliseconds(i64::try_from(network.resend_after_ms)?);
    Ok(NetworkEnvironment {
        chain,
        usdt,
        reserves: reserves(name, settings)?,
        expiry,
        resend: ResendPolicy {
            after,
            at_most: expiry.max(after),
        },
    })
}

/// Where customers' money is kept, beside the addresses that we know.
fn reserves(name: &str, settings: &Settings) -> anyhow::Result<Vec<TronAddress>> {
    let deposits = &settings.deposits;
    let given = deposits.reserve_addresses.iter().filter(|_| *name == deposits.network);
    given
        .map(|address| address.parse().context("deposits.reserve_addresses"))
        .collect()
}

/// The contracts of the tokens that are money here.
fn tokens(name: &str, network: &Network) -> anyhow::Result<BTreeMap<TronAddress, Asset>> {
    let read = |(asset, address): (&String, &String)| {
        let key = || format!("networks.{name}.tokens.{asset}");
        let contract = address.parse().with_context(key)?;
        Ok((contract, asset.to_uppercase().parse().with_context(key)?))
    };
    network.tokens.iter().map(read).collect()
}

/// By network: what is money there, and from whom.
///
/// # Errors
/// What cannot be used as configured, by name.
pub fn credit(settings: &Settings) -> anyhow::Result<BTreeMap<String, CreditPolicy>> {
    let of = |(name, network): (&String, &Network)| {
        let policy = policy(name, &tokens(name, network)?, settings)?;
        Ok((name.clone(), policy))
    };
    settings.networks.iter().map(of).collect()
}

/// Of one network.
fn policy(name: &str, tokens: &BTreeMap<TronAddress, Asset>, settings: &Settings) -> anyhow::Result<CreditPolicy> {
    let deposits = &settings.deposits;
    let named = |(contract, asset): (&TronAddress, &Asset)| (contract.to_string(), *asset);
    Ok(CreditPolicy {
        tokens: tokens.iter().map(named).collect(),
        dust: BTreeMap::from([
            (Asset::Trx, Amount::from_minor(deposits.dust_trx_sun)?),
            (Asset::Usdt, Amount::from_minor(deposits.dust_usdt_micro)?),
        ]),
        blocked: deposits.blocked_senders.iter().cloned().collect(),
        exchange: exchange(settings)?,
        rental: if *name == settings.deposits.network {
            rentals::policy(settings)?
        } else {
            None
        },
    })
}

/// How USDT is exchanged as it is credited; `None` where it is kept.
///
/// # Errors
/// When a number does not fit.
pub fn exchange(settings: &Settings) -> anyhow::Result<Option<RatePolicy>> {
    match settings.deposits.usdt {
        UsdtDeposits::Keep => Ok(None),
        UsdtDeposits::Exchange => rates::policy(settings).map(Some),
    }
}
