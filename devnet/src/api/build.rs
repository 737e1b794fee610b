//! Builder endpoints: an unsigned transaction for clients that let the node make it. They validate, as the node does.

use serde_json::json;

use super::contracts::{call, refused};
use super::{Answer, Ask, render};
use crate::chain::Chain;
use crate::exec::{Outcome, Refusal};
use crate::wire::{Op, Signed};

/// Life of a transaction that the node builds.
const LIFE_MS: i64 = 60_000;

/// The transaction around `op`, referring to the newest block.
pub(super) fn unsigned(chain: &Chain, ask: &Ask<'_>, op: &Op, fee_limit: i64) -> Result<Signed, String> {
    let permission = ask.fields.int("Permission_id")?;
    let mut raw = Signed::build(op, i32::try_from(permission).map_err(|_| "Permission_id")?);
    let head = chain.block(chain.head()).ok_or("latest block not found")?;
    raw.ref_block_bytes = head.id[6..8].to_vec();
    raw.ref_block_hash = head.reference_hash().to_vec();
    raw.timestamp = head.timestamp;
    raw.expiration = head.timestamp + LIFE_MS;
    raw.fee_limit = fee_limit;
    raw.data = ask.fields.text_or_bytes("extra_data")?;
    Signed::from_raw(raw, Vec::new()).map_err(|refusal| refusal.message())
}

fn build(chain: &mut Chain, ask: &Ask<'_>, name: &str) -> Answer {
    let op = Op::from_json(name, ask.fields)?;
    if let Err(refusal) = validate(chain, &op, 0) {
        return Err(exception(refusal));
    }
    let tx = unsigned(chain, ask, &op, 0)?;
    let mut out = render::transaction(&tx, None, ask.fields.visible());
    out["visible"] = json!(ask.fields.visible());
    Ok(out)
}

fn validate(chain: &mut Chain, op: &Op, fee_limit: i64) -> Result<(), Refusal> {
    let mut exec = chain.exec();
    exec.state.open();
    let run = exec.act(op, fee_limit, &mut Outcome::default());
    exec.state.undo();
    run
}

fn exception(refusal: Refusal) -> String {
    match refusal {
        Refusal::Validate(text) => format!("class org.tron.core.exception.ContractValidateException : {text}"),
        other => format!("class java.lang.Exception : {}", other.message()),
    }
}

/// `createtransaction`.
pub(super) fn transfer(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    build(chain, ask, "TransferContract")
}

/// `freezebalancev2`.
pub(super) fn freeze(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    build(chain, ask, "FreezeBalanceV2Contract")
}

/// `unfreezebalancev2`.
pub(super) fn unfreeze(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    build(chain, ask, "UnfreezeBalanceV2Contract")
}

/// `withdrawexpireunfreeze`.
pub(super) fn withdraw(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    build(chain, ask, "WithdrawExpireUnfreezeContract")
}

/// `cancelallunfreezev2`.
pub(super) fn cancel_all(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    build(chain, ask, "CancelAllUnfreezeV2Contract")
}

/// `delegateresource`.
pub(super) fn delegate(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    build(chain, ask, "DelegateResourceContract")
}

/// `undelegateresource`.
pub(super) fn undelegate(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    build(chain, ask, "UnDelegateResourceContract")
}

/// `accountpermissionupdate`.
pub(super) fn permissions(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    build(chain, ask, "AccountPermissionUpdateContract")
}

/// `triggersmartcontract`.
pub(super) fn trigger(chain: &mut Chain, ask: &Ask<'_>) -> Answer {
    let visible = ask.fields.visible();
    let op = match call(ask) {
        Ok(contract) => Op::Trigger(contract),
        Err(text) => return Ok(refused("OTHER_ERROR", &text, visible)),
    };
    let fee_limit = ask.fields.int("fee_limit")?;
    if let Err(Refusal::Validate(text)) = validate(chain, &op, fee_limit) {
        return Ok(refused("CONTRACT_VALIDATE_ERROR", &text, visible));
    }
    let tx = unsigned(chain, ask, &op, fee_limit)?;
    let mut transaction = render::transaction(&tx, None, visible);
    transaction["visible"] = json!(visible);
    Ok(json!({"result": {"result": true}, "transaction": transaction}))
}
