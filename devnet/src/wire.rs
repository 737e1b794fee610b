//! Transactions between bytes, JSON and what the executors take. Like the node it re-encodes what it parsed: the id is
//! the hash of the canonical form.

mod op;

use prost::Message;
use serde_json::{Map, Value};
use tron::proto::{Any, Contract, Transaction, TransactionRaw};

pub(crate) use op::Op;

use crate::exec::Refusal;
use crate::fields::Fields;

/// Bytes that the node reserves for a result when it charges bandwidth.
const RESULT_BYTES: usize = 64;
const TYPE_URL: &str = "type.googleapis.com/protocol.";

/// A transaction as the network hashes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Signed {
    /// SHA-256 of `raw_bytes`.
    pub(crate) txid: [u8; 32],
    /// Canonical encoding of the raw data.
    pub(crate) raw_bytes: Vec<u8>,
    /// The raw data.
    pub(crate) raw: TransactionRaw,
    /// As they came.
    pub(crate) signatures: Vec<Vec<u8>>,
    /// The one contract.
    pub(crate) op: Op,
    /// Its number.
    pub(crate) kind: i32,
    /// Which permission signs.
    pub(crate) permission_id: i32,
    /// Sun that a call may burn.
    pub(crate) fee_limit: i64,
    /// Memo.
    pub(crate) memo: Vec<u8>,
}

impl Signed {
    /// Decodes a full transaction. The outer error is of bytes that are none; the inner one carries the id of what
    /// could be read but not be executed.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Result<Self, ([u8; 32], Refusal)>, String> {
        let full = Transaction::decode(bytes).map_err(|error| error.to_string())?;
        let raw = TransactionRaw::decode(full.raw_data.as_slice()).map_err(|error| error.to_string())?;
        let txid = tron::sha256(&raw.encode_to_vec());
        Ok(Self::from_raw(raw, full.signature).map_err(|refusal| (txid, refusal)))
    }

    /// Takes raw data and signatures; refuses what is not exactly one contract of a kind that we execute.
    pub(crate) fn from_raw(raw: TransactionRaw, signatures: Vec<Vec<u8>>) -> Result<Self, Refusal> {
        let count = raw.contract.len();
        let Some(contract) = raw.contract.first() else {
            return Err(Refusal::Validate("No contract!".to_owned()));
        };
        if count != 1 {
            let text = format!("contract size should be exactly 1, this is extend feature ,actual :{count}");
            return Err(Refusal::Other(text));
        }
        let value = contract
            .parameter
            .as_ref()
            .map(|any| any.value.as_slice())
            .unwrap_or_default();
        let op = Op::decode(contract.kind, value)?;
        let raw_bytes = raw.encode_to_vec();
        Ok(Self {
            txid: tron::sha256(&raw_bytes),
            raw_bytes,
            op,
            kind: contract.kind,
            permission_id: contract.permission_id,
            fee_limit: raw.fee_limit,
            memo: raw.data.clone(),
            signatures,
            raw,
        })
    }

    /// Raw data around one operation, for the builder endpoints.
    pub(crate) fn build(op: &Op, permission_id: i32) -> TransactionRaw {
        let any = Any {
            type_url: format!("{TYPE_URL}{}", op.name()),
            value: op.encode(),
        };
        let contract = Contract {
            kind: op.kind(),
            parameter: Some(any),
            permission_id,
            ..Contract::default()
        };
        TransactionRaw {
            contract: vec![contract],
            ..TransactionRaw::default()
        }
    }

    /// The transaction's JSON form in a request of `broadcasttransaction` or `getsignweight`.
    pub(crate) fn from_json(body: &Map<String, Value>, visible: bool) -> Result<Self, Refusal> {
        let bad = |what: &str| Refusal::Other(format!("invalid transaction json: {what}"));
        let Some(Value::Object(raw_json)) = body.get("raw_data") else {
            return Err(bad("raw_data"));
        };
        let raw_fields = Fields::new(raw_json, visible);
        let contracts = raw_json
            .get("contract")
            .and_then(Value::as_array)
            .ok_or_else(|| bad("contract"))?;
        let mut contract = Vec::new();
        for entry in contracts {
            contract.push(contract_from_json(entry, visible).map_err(|what| bad(&what))?);
        }
        let raw = TransactionRaw {
            ref_block_bytes: raw_fields.bytes("ref_block_bytes").map_err(|what| bad(&what))?,
            ref_block_num: raw_fields.int("ref_block_num").map_err(|what| bad(&what))?,
            ref_block_hash: raw_fields.bytes("ref_block_hash").map_err(|what| bad(&what))?,
            expiration: raw_fields.int("expiration").map_err(|what| bad(&what))?,
            data: raw_fields.text_or_bytes("data").map_err(|what| bad(&what))?,
            contract,
            scripts: raw_fields.bytes("scripts").map_err(|what| bad(&what))?,
            timestamp: raw_fields.int("timestamp").map_err(|what| bad(&what))?,
            fee_limit: raw_fields.int("fee_limit").map_err(|what| bad(&what))?,
        };
        let signatures = match body.get("signature") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => list
                .iter()
                .map(|item| {
                    item.as_str()
                        .and_then(|text| hex::decode(text).ok())
                        .ok_or_else(|| bad("signature"))
                })
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(bad("signature")),
        };
        Self::from_raw(raw, signatures)
    }

    /// The full transaction as it goes over the wire.
    pub(crate) fn to_wire(&self) -> Transaction {
        Transaction {
            raw_data: self.raw_bytes.clone(),
            signature: self.signatures.clone(),
            ret: Vec::new(),
        }
    }

    /// Bandwidth that it costs.
    pub(crate) fn bandwidth(&self) -> i64 {
        to_i64(self.to_wire().encoded_len() + RESULT_BYTES)
    }

    /// The account that acts.
    pub(crate) fn owner(&self) -> &[u8] {
        self.op.owner()
    }
}

/// A length as the protocol's integer.
pub(crate) fn to_i64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn contract_from_json(entry: &Value, visible: bool) -> Result<Contract, String> {
    let name = entry["type"].as_str().ok_or("type")?;
    let parameter = &entry["parameter"];
    let Some(value) = parameter["value"].as_object() else {
        return Err("value".to_owned());
    };
    let op = Op::from_json(name, Fields::new(value, visible))?;
    let type_url = parameter["type_url"].as_str().unwrap_or_default().to_owned();
    let permission_id = match &entry["Permission_id"] {
        Value::Null => 0,
        id => id
            .as_i64()
            .and_then(|id| i32::try_from(id).ok())
            .ok_or("Permission_id")?,
    };
    Ok(Contract {
        kind: op.kind(),
        parameter: Some(Any {
            type_url,
            value: op.encode(),
        }),
        permission_id,
        ..Contract::default()
    })
}
