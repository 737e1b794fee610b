//! How blocks, transactions and receipts look in JSON: protobuf defaults left out, bytes in hex.

#[cfg(test)]
mod tests;

use chain::TronAddress;
use serde_json::{Value, json};

use crate::chain::{Block, Included, VERSION};
use crate::exec::{Ended, Log, Outcome};
use crate::fields::{show_address, sparse};
use crate::wire::Signed;

/// A block, with its transactions if `detail`.
pub(super) fn block(block: &Block, visible: bool, detail: bool) -> Value {
    let raw_data = sparse(json!({
        "number": block.number,
        "txTrieRoot": hex::encode(block.tx_root),
        "witness_address": show_address(block.witness.as_bytes(), visible),
        "parentHash": hex::encode(block.parent),
        "version": VERSION,
        "timestamp": block.timestamp,
    }));
    let mut out = json!({
        "blockID": hex::encode(block.id),
        "block_header": {"raw_data": raw_data, "witness_signature": hex::encode(block.witness_signature())},
    });
    if detail && !block.txs.is_empty() {
        let show = |included: &Included| transaction(&included.tx, Some(&included.outcome), visible);
        out["transactions"] = block.txs.iter().map(show).collect();
    }
    out
}

/// A transaction; with how it ended, if it was executed.
pub(super) fn transaction(tx: &Signed, outcome: Option<&Outcome>, visible: bool) -> Value {
    let mut contract = json!({
        "parameter": {"value": tx.op.to_json(visible), "type_url": type_url(tx)},
        "type": tx.op.name(),
    });
    if tx.permission_id > 0 {
        contract["Permission_id"] = json!(tx.permission_id);
    }
    let data = if visible {
        String::from_utf8_lossy(&tx.memo).into_owned()
    } else {
        hex::encode(&tx.memo)
    };
    let mut raw_data = sparse(json!({
        "data": data,
        "ref_block_bytes": hex::encode(&tx.raw.ref_block_bytes),
        "ref_block_num": tx.raw.ref_block_num,
        "ref_block_hash": hex::encode(&tx.raw.ref_block_hash),
        "expiration": tx.raw.expiration,
        "fee_limit": tx.fee_limit,
        "timestamp": tx.raw.timestamp,
    }));
    raw_data["contract"] = json!([contract]);
    let mut out = json!({
        "txID": hex::encode(tx.txid),
        "raw_data": raw_data,
        "raw_data_hex": hex::encode(&tx.raw_bytes),
    });
    if !tx.signatures.is_empty() {
        out["signature"] = tx.signatures.iter().map(hex::encode).collect();
    }
    if let Some(outcome) = outcome {
        out["ret"] = json!([{"contractRet": ended(outcome).name()}]);
    }
    out
}

fn type_url(tx: &Signed) -> &str {
    tx.raw
        .contract
        .first()
        .and_then(|contract| contract.parameter.as_ref())
        .map_or("", |any| any.type_url.as_str())
}

fn ended(outcome: &Outcome) -> Ended {
    outcome.call.as_ref().map_or(Ended::Success, |call| call.ended)
}

/// What a node leaves out of its receipts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Without {
    /// Logs.
    pub(super) logs: bool,
    /// Internal transactions: a node keeps them only if it is told to.
    pub(super) internal: bool,
}

/// A receipt.
pub(super) fn info(block: &Block, included: &Included, visible: bool, without: Without) -> Value {
    let Included { tx, outcome } = included;
    let call = outcome.call.as_ref();
    let ended = ended(outcome);
    let failed = ended != Ended::Success;
    let bill = &outcome.bill;
    let logs: Vec<Value> = match call {
        Some(call) if !without.logs => call.logs.iter().map(|entry| log(entry, visible)).collect(),
        _ => Vec::new(),
    };
    let internal: Vec<Value> = call
        .filter(|_| !without.internal)
        .and_then(|call| Some(sent_on(&tx.txid, call.contract, call.sent_on?, visible)))
        .into_iter()
        .collect();
    let message = if visible {
        ended.message().to_owned()
    } else {
        hex::encode(ended.message())
    };
    let cancelled = outcome.cancelled.map(|[net, energy]| {
        json!([{"key": "BANDWIDTH", "value": net}, {"key": "ENERGY", "value": energy}, {"key": "TRON_POWER", "value": 0}])
    });
    let mut out = sparse(json!({
        "id": hex::encode(tx.txid),
        "fee": bill.fee,
        "blockNumber": block.number,
        "blockTimeStamp": block.timestamp,
        "contractResult": [call.map(|call| hex::encode(&call.output)).unwrap_or_default()],
        "contract_address": call.map(|call| show_address(call.contract.as_bytes(), visible)),
        "receipt": {
            "energy_usage": bill.energy_usage,
            "energy_fee": bill.energy_fee,
            "energy_usage_total": bill.energy_total,
            "net_usage": bill.net_usage,
            "net_fee": bill.net_fee,
            "result": call.map(|_| ended.name()),
            "energy_penalty_total": bill.energy_penalty,
        },
        "log": logs,
        "internal_transactions": internal,
        "result": failed.then_some("FAILED"),
        "resMessage": message,
        "withdraw_expire_amount": outcome.withdraw_expire_amount,
    }));
    if let Some(cancelled) = cancelled {
        out["cancel_unfreezeV2_amount"] = cancelled;
    }
    out
}

/// What a contract did on its way: the one call that sends TRX on.
fn sent_on(txid: &[u8; 32], contract: TronAddress, (to, sun): (TronAddress, i64), visible: bool) -> Value {
    let id = [txid.as_slice(), to.as_bytes()].concat();
    json!({
        "hash": hex::encode(tron::keccak256(&id)),
        "caller_address": show_address(contract.as_bytes(), visible),
        "transferTo_address": show_address(to.as_bytes(), visible),
        "callValueInfo": [{"callValue": sun}],
        "note": hex::encode("call"),
    })
}

/// A log: 20 bytes of address in hex, or base58.
pub(super) fn log(log: &Log, visible: bool) -> Value {
    let address = if visible {
        log.address.to_string()
    } else {
        hex::encode(log.address.evm20())
    };
    json!({
        "address": address,
        "topics": log.topics.iter().map(hex::encode).collect::<Vec<_>>(),
        "data": hex::encode(&log.data),
    })
}
