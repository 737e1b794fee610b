//! Contract calls that change nothing, the token's description, prices.

use serde_json::{Value, json};
use tron::proto::TriggerSmartContract;

use super::build::unsigned;
use super::{Answer, Ask, render};
use crate::chain::Chain;
use crate::exec::{Ended, simulate};
use crate::fields::sparse;
use crate::wire::Op;

/// Reads the call of a request: `function_selector` and `parameter`, or `data`.
pub(super) fn call(ask: &Ask<'_>) -> Result<TriggerSmartContract, String> {
    let f = &ask.fields;
    if f.text("owner_address").is_empty() {
        return Err("class java.security.InvalidParameterException : owner_address isn't set.".to_owned());
    }
    let selector = f.text("function_selector");
    let data = if selector.is_empty() {
        f.bytes("data")?
    } else {
        let mut data = tron::keccak256(selector.as_bytes())[..4].to_vec();
        data.extend(f.bytes("parameter")?);
        data
    };
    Ok(TriggerSmartContract {
        owner_address: f.address("owner_address")?,
        contract_address: f.address("contract_address")?,
        call_value: f.int("call_value")?,
        data,
        call_token_value: f.int("call_token_value")?,
        token_id: f.int("token_id")?,
    })
}

/// A failed answer with its message.
pub(super) fn refused(code: &str, text: &str, visible: bool) -> Value {
    let message = if visible { text.to_owned() } else { hex::encode(text) };
    json!({"result": {"code": code, "message": message}})
}

/// `triggerconstantcontract`.
pub(super) fn constant(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let visible = ask.fields.visible();
    let contract = match call(ask) {
        Ok(contract) => contract,
        Err(text) => return Ok(refused("OTHER_ERROR", &text, visible)),
    };
    let call = match simulate(&mut chain.exec(), ask.view, &contract) {
        Ok(call) => call,
        Err(text) => return Ok(refused("CONTRACT_VALIDATE_ERROR", &text, visible)),
    };
    let failed = call.ended != Ended::Success;
    let message = if visible {
        call.ended.message().to_owned()
    } else {
        hex::encode(call.ended.message())
    };
    let tx = unsigned(chain, ask, &Op::Trigger(contract), 0)?;
    let mut transaction = render::transaction(&tx, None, visible);
    transaction["ret"] = json!([if failed { json!({"ret": "FAILED"}) } else { json!({}) }]);
    transaction["visible"] = json!(visible);
    let logs: Vec<Value> = call.logs.iter().map(|log| render::log(log, visible)).collect();
    let mut out = sparse(json!({
        "result": {"result": true, "message": message},
        "energy_used": call.energy,
        "energy_penalty": call.penalty,
        "logs": logs,
    }));
    out["constant_result"] = json!([hex::encode(&call.output)]);
    out["transaction"] = transaction;
    Ok(out)
}

/// `estimateenergy`: off, as it is by default.
pub(super) fn estimate(_: &mut Chain, ask: &Ask<'_>) -> Answer {
    Ok(refused(
        "CONTRACT_VALIDATE_ERROR",
        "this node does not support estimate energy",
        ask.fields.visible(),
    ))
}

/// `getchainparameters`.
pub(super) fn chain_parameters(chain: &mut Chain, _: &Ask<'_>) -> Answer {
    let rows = chain
        .params()
        .list()
        .into_iter()
        .map(|(key, value)| sparse(json!({"key": key, "value": value})));
    Ok(json!({ "chainParameter": rows.collect::<Vec<_>>() }))
}

/// `getcontract`.
pub(super) fn contract(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let token = chain.params().usdt;
    let asked = ask.fields.text("value");
    if asked != token.to_string() && asked != token.to_hex() {
        return Ok(json!({}));
    }
    let show = if ask.fields.visible() {
        token.to_string()
    } else {
        token.to_hex()
    };
    Ok(json!({
        "origin_address": show, "contract_address": show, "abi": crate::usdt::abi(),
        "consume_user_resource_percent": 100, "name": "TetherToken", "origin_energy_limit": 10_000_000,
    }))
}

/// `getcontractinfo`.
pub(super) fn contract_info(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let contract = contract(chain, ask)?;
    if contract.get("abi").is_none() {
        return Ok(json!({}));
    }
    Ok(json!({
        "smart_contract": contract,
        "contract_state": {"energy_usage": 5_000_000_001_i64, "energy_factor": 34_000, "update_cycle": 1},
    }))
}

/// `getenergyprices`.
pub(super) fn energy_prices(chain: &mut Chain, _: &Ask<'_>) -> Answer {
    Ok(json!({ "prices": format!("0:{}", chain.params().energy_fee) }))
}

/// `getbandwidthprices`.
pub(super) fn bandwidth_prices(chain: &mut Chain, _: &Ask<'_>) -> Answer {
    Ok(json!({ "prices": format!("0:{}", chain.params().transaction_fee) }))
}
