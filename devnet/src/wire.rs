//! Transactions between bytes, JSON and what the executors take. Like the node it re-encodes what it parsed: the id is
//! the hash of the canonical form.

use prost::Message;
use serde_json::{Map, Value, json};
use tron::proto::{
    Any, CancelAllUnfreezeV2Contract, Contract, DelegateResourceContract, FreezeBalanceV2Contract, Transaction,
    TransactionRaw, TransferContract, TriggerSmartContract, UnDelegateResourceContract, UnfreezeBalanceV2Contract,
    WithdrawExpireUnfreezeContract,
};

use crate::exec::Refusal;
use crate::fields::Fields;

/// Bytes that the node reserves for a result when it charges bandwidth.
const RESULT_BYTES: usize = 64;
const TYPE_URL: &str = "type.googleapis.com/protocol.";

/// What a transaction does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    /// Sends TRX.
    Transfer(TransferContract),
    /// Calls a contract.
    Trigger(TriggerSmartContract),
    /// Stakes.
    Freeze(FreezeBalanceV2Contract),
    /// Starts to unstake.
    Unfreeze(UnfreezeBalanceV2Contract),
    /// Withdraws what is unstaked.
    Withdraw(WithdrawExpireUnfreezeContract),
    /// Stakes again what is being unstaked.
    CancelAll(CancelAllUnfreezeV2Contract),
    /// Lends stake.
    Delegate(DelegateResourceContract),
    /// Takes stake back.
    Undelegate(UnDelegateResourceContract),
}

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
        match &self.op {
            Op::Transfer(c) => &c.owner_address,
            Op::Trigger(c) => &c.owner_address,
            Op::Freeze(c) => &c.owner_address,
            Op::Unfreeze(c) => &c.owner_address,
            Op::Withdraw(c) => &c.owner_address,
            Op::CancelAll(c) => &c.owner_address,
            Op::Delegate(c) => &c.owner_address,
            Op::Undelegate(c) => &c.owner_address,
        }
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

impl Op {
    fn decode(kind: i32, value: &[u8]) -> Result<Self, Refusal> {
        let decoded = match kind {
            1 => TransferContract::decode(value).map(Self::Transfer),
            31 => TriggerSmartContract::decode(value).map(Self::Trigger),
            54 => FreezeBalanceV2Contract::decode(value).map(Self::Freeze),
            55 => UnfreezeBalanceV2Contract::decode(value).map(Self::Unfreeze),
            56 => WithdrawExpireUnfreezeContract::decode(value).map(Self::Withdraw),
            57 => DelegateResourceContract::decode(value).map(Self::Delegate),
            58 => UnDelegateResourceContract::decode(value).map(Self::Undelegate),
            59 => CancelAllUnfreezeV2Contract::decode(value).map(Self::CancelAll),
            other => {
                return Err(Refusal::Validate(format!(
                    "contract type {other} is not executed by this devnet"
                )));
            }
        };
        decoded.map_err(|error| Refusal::Validate(error.to_string()))
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Transfer(c) => c.encode_to_vec(),
            Self::Trigger(c) => c.encode_to_vec(),
            Self::Freeze(c) => c.encode_to_vec(),
            Self::Unfreeze(c) => c.encode_to_vec(),
            Self::Withdraw(c) => c.encode_to_vec(),
            Self::CancelAll(c) => c.encode_to_vec(),
            Self::Delegate(c) => c.encode_to_vec(),
            Self::Undelegate(c) => c.encode_to_vec(),
        }
    }

    /// The contract type's number.
    pub(crate) const fn kind(&self) -> i32 {
        match self {
            Self::Transfer(_) => 1,
            Self::Trigger(_) => 31,
            Self::Freeze(_) => 54,
            Self::Unfreeze(_) => 55,
            Self::Withdraw(_) => 56,
            Self::Delegate(_) => 57,
            Self::Undelegate(_) => 58,
            Self::CancelAll(_) => 59,
        }
    }

    /// The contract type's name.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Transfer(_) => "TransferContract",
            Self::Trigger(_) => "TriggerSmartContract",
            Self::Freeze(_) => "FreezeBalanceV2Contract",
            Self::Unfreeze(_) => "UnfreezeBalanceV2Contract",
            Self::Withdraw(_) => "WithdrawExpireUnfreezeContract",
            Self::Delegate(_) => "DelegateResourceContract",
            Self::Undelegate(_) => "UnDelegateResourceContract",
            Self::CancelAll(_) => "CancelAllUnfreezeV2Contract",
        }
    }

    /// Reads the contract `name` from its JSON fields.
    pub(crate) fn from_json(name: &str, f: Fields<'_>) -> Result<Self, String> {
        let owner_address = f.address("owner_address")?;
        Ok(match name {
            "TransferContract" => {
                let (to_address, amount) = (f.address("to_address")?, f.int("amount")?);
                Self::Transfer(TransferContract {
                    owner_address,
                    to_address,
                    amount,
                })
            }
            "TriggerSmartContract" => Self::Trigger(TriggerSmartContract {
                owner_address,
                contract_address: f.address("contract_address")?,
                call_value: f.int("call_value")?,
                data: f.bytes("data")?,
                call_token_value: f.int("call_token_value")?,
                token_id: f.int("token_id")?,
            }),
            "FreezeBalanceV2Contract" => {
                let (frozen_balance, resource) = (f.int("frozen_balance")?, f.resource("resource")?);
                Self::Freeze(FreezeBalanceV2Contract {
                    owner_address,
                    frozen_balance,
                    resource,
                })
            }
            "UnfreezeBalanceV2Contract" => {
                let (unfreeze_balance, resource) = (f.int("unfreeze_balance")?, f.resource("resource")?);
                Self::Unfreeze(UnfreezeBalanceV2Contract {
                    owner_address,
                    unfreeze_balance,
                    resource,
                })
            }
            "WithdrawExpireUnfreezeContract" => Self::Withdraw(WithdrawExpireUnfreezeContract { owner_address }),
            "CancelAllUnfreezeV2Contract" => Self::CancelAll(CancelAllUnfreezeV2Contract { owner_address }),
            "DelegateResourceContract" => Self::Delegate(DelegateResourceContract {
                owner_address,
                resource: f.resource("resource")?,
                balance: f.int("balance")?,
                receiver_address: f.address("receiver_address")?,
                lock: f.flag("lock"),
                lock_period: f.int("lock_period")?,
            }),
            "UnDelegateResourceContract" => Self::Undelegate(UnDelegateResourceContract {
                owner_address,
                resource: f.resource("resource")?,
                balance: f.int("balance")?,
                receiver_address: f.address("receiver_address")?,
            }),
            other => return Err(format!("contract {other} is not executed by this devnet")),
        })
    }

    /// The contract's JSON fields, defaults omitted.
    pub(crate) fn to_json(&self, visible: bool) -> Value {
        let a = |bytes: &[u8]| crate::fields::show_address(bytes, visible);
        let resource = |code: i32| match code {
            0 => "",
            1 => "ENERGY",
            2 => "TRON_POWER",
            _ => "UNRECOGNIZED",
        };
        crate::fields::sparse(match self {
            Self::Transfer(c) => {
                json!({"owner_address": a(&c.owner_address), "to_address": a(&c.to_address), "amount": c.amount})
            }
            Self::Trigger(c) => json!({
                "owner_address": a(&c.owner_address), "contract_address": a(&c.contract_address),
                "call_value": c.call_value, "data": hex::encode(&c.data),
                "call_token_value": c.call_token_value, "token_id": c.token_id,
            }),
            Self::Freeze(c) => json!({
                "owner_address": a(&c.owner_address), "frozen_balance": c.frozen_balance,
                "resource": resource(c.resource),
            }),
            Self::Unfreeze(c) => json!({
                "owner_address": a(&c.owner_address), "unfreeze_balance": c.unfreeze_balance,
                "resource": resource(c.resource),
            }),
            Self::Withdraw(c) => json!({"owner_address": a(&c.owner_address)}),
            Self::CancelAll(c) => json!({"owner_address": a(&c.owner_address)}),
            Self::Delegate(c) => json!({
                "owner_address": a(&c.owner_address), "resource": resource(c.resource), "balance": c.balance,
                "receiver_address": a(&c.receiver_address), "lock": c.lock, "lock_period": c.lock_period,
            }),
            Self::Undelegate(c) => json!({
                "owner_address": a(&c.owner_address), "resource": resource(c.resource), "balance": c.balance,
                "receiver_address": a(&c.receiver_address),
            }),
        })
    }
}
