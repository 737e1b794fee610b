//! Accounts, their resources and delegations.

use chain::TronAddress;
use serde_json::{Value, json};

use super::{Answer, Ask};
use crate::chain::Chain;
use crate::exec::{UNFREEZE_MAX, delegatable_sun};
use crate::fields::sparse;
use crate::state::{Account, Permission, Resource};
use crate::wire::to_i64;

fn address(ask: &Ask<'_>, field: &str) -> Result<Option<TronAddress>, String> {
    let text = ask.fields.text(field);
    if text.starts_with('T') {
        // GET accepts both forms whatever `visible` says.
        return Ok(text.parse().ok());
    }
    Ok(TronAddress::from_bytes(&ask.fields.address(field)?).ok())
}

fn show(address: TronAddress, visible: bool) -> String {
    if visible { address.to_string() } else { address.to_hex() }
}

/// `getaccount`.
pub(super) fn account(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let Some(address) = address(ask, "address")? else {
        return Ok(json!({}));
    };
    let Some(account) = chain.state().account_in(ask.view, &address) else {
        return Ok(json!({}));
    };
    let visible = ask.fields.visible();
    let slot = chain.slot(ask.view);
    // As the node does: decayed to the newest slot, and so are the windows.
    let [net, energy] = account.usage.map(|mut usage| {
        usage.settle(slot);
        usage
    });
    let mut out = sparse(json!({
        "address": show(address, visible),
        "type": account.is_contract.then_some("Contract"),
        "balance": account.balance,
        "create_time": account.created_ms,
        "latest_opration_time": account.latest_operation_ms,
        "net_usage": net.used,
        "free_net_usage": account.free_usage.at(slot),
        "latest_consume_time": chain.slot_ms(slot),
        "latest_consume_free_time": chain.slot_ms(slot),
        "net_window_size": net.window_fine(),
        "net_window_optimized": true,
        "delegated_frozenV2_balance_for_bandwidth": account.lent[0],
        "acquired_delegated_frozenV2_balance_for_bandwidth": account.borrowed[0],
        "account_resource": {
            "energy_usage": energy.used,
            "latest_consume_time_for_energy": chain.slot_ms(slot),
            "energy_window_size": energy.window_fine(),
            "energy_window_optimized": true,
            "delegated_frozenV2_balance_for_energy": account.lent[1],
            "acquired_delegated_frozenV2_balance_for_energy": account.borrowed[1],
        },
        "frozenV2": [
            {"amount": account.frozen[0]}, {"type": "ENERGY", "amount": account.frozen[1]}, {"type": "TRON_POWER"},
        ],
        "unfrozenV2": account.unfreezing.iter().map(|entry| json!({
            "type": (entry.resource == Resource::Energy).then_some("ENERGY"),
            "unfreeze_amount": entry.sun,
            "unfreeze_expire_time": entry.expire_ms,
        })).collect::<Vec<_>>(),
        "asset_optimized": true,
    }));
    if !account.is_contract {
        let owner = account.permission(address, 0);
        out["owner_permission"] = owner.map_or_else(|| json!({}), |owner| permission(&owner, visible));
        out["active_permission"] = account
            .actives(address)
            .iter()
            .map(|active| permission(active, visible))
            .collect();
    }
    Ok(out)
}

/// A permission; addresses of keys in hex unless visible.
pub(super) fn permission(permission: &Permission, visible: bool) -> Value {
    let active = permission.operations.is_some();
    sparse(json!({
        "type": active.then_some("Active"),
        "id": permission.id,
        "permission_name": permission.name,
        "threshold": permission.threshold,
        "operations": permission.operations.map(hex::encode),
        "keys": permission.keys.iter()
            .map(|key| json!({"address": show(key.address, visible), "weight": key.weight}))
            .collect::<Vec<_>>(),
    }))
}

/// `getaccountnet`.
pub(super) fn net(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let Some(address) = address(ask, "address")? else {
        return Ok(json!({}));
    };
    Ok(chain
        .state()
        .account_in(ask.view, &address)
        .map_or_else(|| json!({}), |account| sparse(bandwidth(chain, ask, account))))
}

fn bandwidth(chain: &Chain, ask: &Ask<'_>, account: &Account) -> Value {
    let market = chain.state().market_in(ask.view);
    let slot = chain.slot(ask.view);
    json!({
        "freeNetUsed": account.free_usage.at(slot),
        "freeNetLimit": chain.params().free_net_limit,
        "NetUsed": account.usage[0].at(slot),
        "NetLimit": market.units(Resource::Bandwidth, account.working_stake(Resource::Bandwidth)),
        "TotalNetLimit": market.limit[0],
        "TotalNetWeight": market.weight[0],
    })
}

/// `getaccountresource`.
pub(super) fn resource(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let Some(address) = address(ask, "address")? else {
        return Ok(json!({}));
    };
    let Some(account) = chain.state().account_in(ask.view, &address) else {
        return Ok(json!({}));
    };
    let market = chain.state().market_in(ask.view);
    let mut out = bandwidth(chain, ask, account);
    out["tronPowerLimit"] = json!(account.weight(Resource::Bandwidth) + account.weight(Resource::Energy));
    out["EnergyUsed"] = json!(account.usage[1].at(chain.slot(ask.view)));
    out["EnergyLimit"] = json!(market.units(Resource::Energy, account.working_stake(Resource::Energy)));
    out["TotalEnergyLimit"] = json!(market.limit[1]);
    out["TotalEnergyWeight"] = json!(market.weight[1]);
    Ok(sparse(out))
}

/// `getcandelegatedmaxsize`.
pub(super) fn can_delegate(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let Some(address) = address(ask, "owner_address")? else {
        return Ok(json!({}));
    };
    let code = i32::try_from(ask.fields.int("type")?).unwrap_or(-1);
    let (Some(account), Some(resource)) = (chain.state().account_in(ask.view, &address), Resource::from_code(code))
    else {
        return Ok(json!({}));
    };
    let market = chain.state().market_in(ask.view);
    let sun = delegatable_sun(account, market, resource, chain.slot(ask.view), true);
    Ok(sparse(json!({ "max_size": if sun < 1_000_000 { 0 } else { sun } })))
}

/// `getdelegatedresourcev2`: the unlocked record, then the locked one.
pub(super) fn delegated(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let (Some(from), Some(to)) = (address(ask, "fromAddress")?, address(ask, "toAddress")?) else {
        return Ok(json!({}));
    };
    let visible = ask.fields.visible();
    let records = [false, true]
        .into_iter()
        .filter_map(|locked| chain.state().delegation_in(ask.view, &(from, to, locked)));
    let rows: Vec<Value> = records
        .map(|record| {
            json!({
                "from": show(from, visible), "to": show(to, visible),
                "frozen_balance_for_bandwidth": record.sun[0], "frozen_balance_for_energy": record.sun[1],
                "expire_time_for_bandwidth": record.expire_ms[0], "expire_time_for_energy": record.expire_ms[1],
            })
        })
        .collect();
    Ok(sparse(json!({ "delegatedResource": rows })))
}

/// `getdelegatedresourceaccountindexv2`.
pub(super) fn delegation_index(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let Some(address) = address(ask, "value")? else {
        return Ok(json!({}));
    };
    let visible = ask.fields.visible();
    let (from, to) = chain.state().delegation_index(ask.view, address);
    let list = |addresses: Vec<TronAddress>| addresses.into_iter().map(|a| show(a, visible)).collect::<Vec<_>>();
    Ok(sparse(
        json!({"account": show(address, visible), "fromAccounts": list(from), "toAccounts": list(to)}),
    ))
}

/// `getcanwithdrawunfreezeamount`.
pub(super) fn can_withdraw(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let Some(address) = address(ask, "owner_address")? else {
        return Ok(json!({}));
    };
    let asked = ask.fields.int("timestamp")?;
    let at = if asked == 0 { chain.time(ask.view) } else { asked };
    let Some(account) = chain.state().account_in(ask.view, &address).filter(|_| at > 0) else {
        return Ok(json!({}));
    };
    let due: i64 = account
        .unfreezing
        .iter()
        .filter(|entry| entry.expire_ms <= at)
        .map(|entry| entry.sun)
        .sum();
    Ok(sparse(json!({ "amount": due })))
}

/// `getavailableunfreezecount`.
pub(super) fn unfreeze_count(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let Some(address) = address(ask, "owner_address")? else {
        return Ok(json!({}));
    };
    let now = chain.time(ask.view);
    let Some(account) = chain.state().account_in(ask.view, &address) else {
        return Ok(json!({}));
    };
    let pending = account.unfreezing.iter().filter(|entry| entry.expire_ms > now).count();
    Ok(sparse(json!({ "count": to_i64(UNFREEZE_MAX.saturating_sub(pending)) })))
}
