//! Figures of accounts.

use chain::endpoints::{Endpoint, EndpointList, Failure, Unusable};
use chain::{
    BlockRef, ChainError, EnergyMarket, Receiver, Resource, TokenBalance, TransferCost, TronAddress, Unfreezing,
    WalletSnapshot,
};
use chrono::DateTime;
use serde_json::{Value, json};

use super::json::{self, Account, Answered, Delegatable, Header, Parameters, Resources};
use super::{full, permissions};
use crate::trc20;

/// `type` of a question about energy.
const ENERGY: i32 = 1;

/// What kind of account `address` is.
pub(super) async fn receiver(endpoints: &EndpointList, address: TronAddress) -> Result<Receiver, ChainError> {
    let body = json!({ "address": address.to_hex() });
    let read = |body: &[u8]| {
        Ok(match account(body, address)? {
            None => Receiver::NotActivated,
            Some(account) if account.kind.as_deref() == Some("Contract") => Receiver::Contract,
            Some(_) => Receiver::Account,
        })
    };
    endpoints.call(&full("/wallet/getaccount", &body), read).await
}

/// What `holder` has of a token. The call is made in its own name, and changes nothing. The head is read first, as for a
/// wallet's figures.
pub(super) async fn token_balance(
    endpoints: &EndpointList,
    token: TronAddress,
    holder: TronAddress,
) -> Result<TokenBalance, ChainError> {
    let call = trc20::Call::BalanceOf { owner: holder }.encode();
    let body = json!({
        "owner_address": holder.to_hex(),
        "contract_address": token.to_hex(),
        "function_selector": "balanceOf(address)",
        "parameter": hex::encode(call.get(4..).unwrap_or_default()),
    });
    let mut attempts = endpoints.attempts();
    loop {
        match token_balance_at(attempts.next()?, &body).await {
            Ok(balance) => return Ok(balance),
            Err(failure) => attempts.failed(failure),
        }
    }
}

async fn token_balance_at(endpoint: &Endpoint, body: &Value) -> Result<TokenBalance, Failure> {
    let head = endpoint.ask(&full("/wallet/getnowblock", &json!({})), head).await?;
    let call = full("/wallet/triggerconstantcontract", body);
    let minor = endpoint
        .ask(&call, |body| json::read::<Answered>(body)?.amount())
        .await?;
    Ok(TokenBalance {
        minor,
        as_of_block: head.number,
    })
}

/// What a transfer of a token takes. A node tries it out on its newest block; the price is the committee's.
pub(super) async fn transfer_cost(
    endpoints: &EndpointList,
    token: TronAddress,
    (from, to): (TronAddress, TronAddress),
    minor: u128,
) -> Result<TransferCost, ChainError> {
    let amount = trc20::amount256(minor);
    let call = trc20::Call::Transfer { to, amount }.encode();
    let body = json!({
        "owner_address": from.to_hex(),
        "contract_address": token.to_hex(),
        "function_selector": "transfer(address,uint256)",
        "parameter": hex::encode(call.get(4..).unwrap_or_default()),
    });
    let mut attempts = endpoints.attempts();
    loop {
        match transfer_cost_at(attempts.next()?, &body).await {
            Ok(cost) => return Ok(cost),
            Err(failure) => attempts.failed(failure),
        }
    }
}

async fn transfer_cost_at(endpoint: &Endpoint, body: &Value) -> Result<TransferCost, Failure> {
    let trial = full("/wallet/triggerconstantcontract", body);
    let energy = endpoint
        .ask(&trial, |body| json::read::<Answered>(body)?.energy())
        .await?;
    let nothing = json!({});
    let price = |body: &[u8]| {
        let price = json::read::<Parameters>(body)?.value("getEnergyFee");
        price
            .filter(|price| *price > 0)
            .ok_or_else(|| json::wrong("no price of energy"))
    };
    Ok(TransferCost {
        energy,
        energy_price_sun: endpoint
            .ask(&full("/wallet/getchainparameters", &nothing), price)
            .await?,
    })
}

/// The figures of one wallet, all from one endpoint: after a failure the next endpoint is asked for all of them.
pub(super) async fn snapshot(endpoints: &EndpointList, address: TronAddress) -> Result<WalletSnapshot, ChainError> {
    let mut attempts = endpoints.attempts();
    loop {
        match snapshot_at(attempts.next()?, address).await {
            Ok(snapshot) => return Ok(snapshot),
            Err(failure) => attempts.failed(failure),
        }
    }
}

/// The head is read first: what happens between the calls is in the figures and not in `as_of_block`, never the other way
/// round.
async fn snapshot_at(endpoint: &Endpoint, address: TronAddress) -> Result<WalletSnapshot, Failure> {
    let head = endpoint.ask(&full("/wallet/getnowblock", &json!({})), head).await?;
    let by_address = json!({ "address": address.to_hex() });
    let account = endpoint
        .ask(&full("/wallet/getaccount", &by_address), |body| {
            let account = account(body, address)?;
            let unfreezing = account.as_ref().map_or_else(|| Ok(Vec::new()), unfreezing)?;
            let permissions = account.as_ref().map(permissions::of).transpose()?;
            Ok((account, unfreezing, permissions.unwrap_or_default()))
        })
        .await?;
    let (account, waiting, permissions) = account;
    let activated = account.is_some();
    let resources = full("/wallet/getaccountresource", &by_address);
    let resources = endpoint.ask(&resources, |body| resources_of(body, activated)).await?;
    let by_owner: Value = json!({ "owner_address": address.to_hex(), "type": ENERGY });
    let delegatable = full("/wallet/getcandelegatedmaxsize", &by_owner);
    let delegatable_sun = endpoint
        .ask(&delegatable, |body| Ok(json::read::<Delegatable>(body)?.max_size))
        .await?;
    let staked = |kind: Option<&str>| {
        let rows = account.iter().flat_map(|account| &account.frozen);
        rows.filter(|row| row.kind.as_deref() == kind)
            .fold(0_i64, |sum, row| sum.saturating_add(row.amount))
    };
    Ok(WalletSnapshot {
        as_of_block: head.number,
        balance_sun: account.as_ref().map_or(0, |account| account.balance),
        staked_energy_sun: staked(Some("ENERGY")),
        staked_bandwidth_sun: staked(None),
        delegated_energy_sun: account
            .as_ref()
            .map_or(0, |account| account.account_resource.delegated_energy_sun),
        delegated_bandwidth_sun: account.as_ref().map_or(0, |account| account.delegated_bandwidth_sun),
        delegatable_sun,
        bandwidth_limit: resources.net_limit,
        bandwidth_used: resources.net_used,
        free_bandwidth_limit: resources.free_net_limit,
        free_bandwidth_used: resources.free_net_used,
        energy_limit: resources.energy_limit,
        energy_used: resources.energy_used,
        unfreezing: waiting,
        permissions,
        market: EnergyMarket {
            total_limit: resources.total_energy_limit,
            total_weight: resources.total_energy_weight,
        },
        bandwidth_market: EnergyMarket {
            total_limit: resources.total_net_limit,
            total_weight: resources.total_net_weight,
        },
    })
}

/// What waits to be coin again. Votes are no resource: what was staked for them alone is none of our stake.
fn unfreezing(account: &Account) -> Result<Vec<Unfreezing>, Unusable> {
    let mut waiting = Vec::with_capacity(account.unfrozen.len());
    for entry in &account.unfrozen {
        let resource = match entry.kind.as_deref() {
            None | Some("BANDWIDTH") => Resource::Bandwidth,
            Some("ENERGY") => Resource::Energy,
            Some(_) => continue,
        };
        let ready_at = DateTime::from_timestamp_millis(entry.ready_ms);
        waiting.push(Unfreezing {
            resource,
            amount_sun: entry.amount,
            ready_at: ready_at.ok_or_else(|| json::wrong("a time of unstaking out of range"))?,
        });
    }
    Ok(waiting)
}

pub(super) fn head(body: &[u8]) -> Result<BlockRef, Unusable> {
    json::read::<Header>(body)?
        .block_ref()?
        .ok_or_else(|| json::wrong("no block"))
}

/// The account that was asked for; `None` where the answer is empty.
fn account(body: &[u8], address: TronAddress) -> Result<Option<Account>, Unusable> {
    let account: Account = json::read(body)?;
    match &account.address {
        None => Ok(None),
        Some(answered) if *answered == address.to_hex() => Ok(Some(account)),
        Some(answered) => Err(json::wrong(format!("the account {}", json::shortened(answered)))),
    }
}

/// Nodes answer nothing for accounts that are not activated; for others the network's figures have to be there.
fn resources_of(body: &[u8], activated: bool) -> Result<Resources, Unusable> {
    let resources: Resources = json::read(body)?;
    if activated && resources.total_energy_limit <= 0 {
        return Err(json::wrong("an account's resources without the network's"));
    }
    Ok(resources)
}
