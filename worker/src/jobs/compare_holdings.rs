//! The part of `operations.reconcile` that asks the chain whether what customers paid in is there.

use chain::TronAddress;
use db::acquire;
use domain::reconcile::holdings::{Holdings, books, places, record, shortages};
use futures::{StreamExt, TryStreamExt};
use kernel::Asset;
use serde_json::Value;

use crate::environment::{Environment, NetworkEnvironment};
use crate::error::WorkError;
use crate::queue::Outcome;
use crate::signer::address;

/// Addresses read at a time; the endpoints' own limits hold beside it.
const AT_ONCE: usize = 4;

/// Compares every network that is read.
pub(super) async fn run(env: &Environment) -> Result<Outcome, WorkError> {
    let mut short = Vec::new();
    for (name, network) in &env.networks {
        short.extend(one(env, name, network).await?);
    }
    record(&env.pool, env.ids.as_ref(), short, env.clock.now()).await?;
    Ok(Outcome::Done)
}

async fn one(env: &Environment, name: &str, network: &NetworkEnvironment) -> Result<Vec<(String, Value)>, WorkError> {
    let burns = env.policy.treasury.token_fee_limit_sun;
    let mut before = Vec::new();
    {
        let mut conn = acquire(&env.pool).await?;
        for asset in assets(network) {
            before.push((asset, books(&mut conn, (name, asset), burns).await?));
        }
    }
    let mut found = places(&env.pool, name).await?;
    found.extend(network.reserves.iter().map(ToString::to_string));
    found.sort_unstable();
    found.dedup();
    let addresses: Vec<TronAddress> = found.iter().map(|place| address(place)).collect::<Result<_, _>>()?;
    let read: Vec<(i128, i128)> = futures::stream::iter(addresses)
        .map(|place| lies_at(network, place))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let holdings: Vec<Holdings<'_>> = before
        .into_iter()
        .map(|(asset, before)| Holdings {
            asset,
            before,
            places: &found,
            minor: read.iter().fold(0_i128, |sum, (sun, usdt)| {
                sum.saturating_add(match asset {
                    Asset::Trx => *sun,
                    Asset::Usdt => *usdt,
                })
            }),
        })
        .collect();
    Ok(shortages(&env.pool, (name, burns), &holdings).await?)
}

/// TRX, and USDT where its contract is known.
fn assets(network: &NetworkEnvironment) -> impl Iterator<Item = Asset> {
    [Some(Asset::Trx), network.usdt.map(|_| Asset::Usdt)]
        .into_iter()
        .flatten()
}

/// What lies at an address, in sun and micro-USDT.
async fn lies_at(network: &NetworkEnvironment, place: TronAddress) -> Result<(i128, i128), WorkError> {
    let sun = network.chain.wallet_snapshot(place).await?.balance_sun;
    let usdt = match network.usdt {
        Some(contract) => network.chain.token_balance(contract, place).await?.minor,
        None => 0,
    };
    Ok((i128::from(sun), i128::try_from(usdt).unwrap_or(i128::MAX)))
}
