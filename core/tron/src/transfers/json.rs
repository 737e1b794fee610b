//! The parts of a block's transactions and receipts that money depends on, as nodes write them.
//!
//! Defaults are left out by nodes: a missing number is zero, a missing list empty. Whole numbers are read as `i64`, never
//! through a float. Addresses are hex, or base58 where a node was asked for it.

use chain::{Transfer, TronAddress, TxId};
use serde::Deserialize;
use serde_json::Value;

use super::UnreadBlock;
use crate::trc20::TransferLog;

/// A transaction of a block.
#[derive(Debug, Deserialize)]
pub struct Transaction {
    #[serde(default, rename = "txID")]
    id: String,
    #[serde(default)]
    ret: Vec<Ret>,
    raw_data: Raw,
}

#[derive(Debug, Deserialize)]
struct Ret {
    #[serde(rename = "contractRet")]
    contract_ret: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Raw {
    #[serde(default)]
    contract: Vec<Contract>,
    #[serde(default)]
    data: String,
}

#[derive(Debug, Deserialize)]
struct Contract {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    parameter: Parameter,
}

/// Its fields depend on the contract's type, so they are read only where that is known.
#[derive(Debug, Default, Deserialize)]
struct Parameter {
    #[serde(default)]
    value: Value,
}

/// A receipt, as `gettransactioninfobyblocknum` lists them.
#[derive(Debug, Deserialize)]
pub struct Info {
    #[serde(default)]
    id: String,
    #[serde(default, rename = "blockNumber")]
    pub(super) block_number: i64,
    #[serde(default)]
    pub(super) fee: i64,
    result: Option<String>,
    #[serde(default)]
    pub(super) receipt: Receipt,
    #[serde(default)]
    pub(super) log: Vec<Log>,
    /// Read one by one: nothing else hangs on them.
    #[serde(default)]
    internal_transactions: Vec<Value>,
}

/// What a contract did on its way, where the node keeps that.
#[derive(Debug, Deserialize)]
pub(super) struct Internal {
    #[serde(default)]
    caller_address: String,
    #[serde(default, rename = "transferTo_address")]
    to_address: String,
    #[serde(default, rename = "callValueInfo")]
    values: Vec<CallValue>,
    /// What it is, in hex.
    #[serde(default)]
    note: String,
    #[serde(default)]
    rejected: bool,
}

#[derive(Debug, Deserialize)]
struct CallValue {
    #[serde(default, rename = "callValue")]
    value: i64,
    /// Of which TRC10 token; none: of the coin.
    #[serde(rename = "tokenId")]
    token: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Receipt {
    #[serde(default)]
    pub(super) energy_usage_total: i64,
    #[serde(default)]
    pub(super) net_usage: i64,
    pub(super) result: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Log {
    #[serde(default)]
    address: String,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    data: String,
}

impl Transaction {
    pub(crate) fn id(&self) -> Result<TxId, UnreadBlock> {
        self.id.parse().map_err(|_| UnreadBlock::NoId)
    }

    /// How it ended, if it says so.
    pub(crate) fn ended(&self) -> Option<&str> {
        self.ret.first()?.contract_ret.as_deref()
    }

    /// What it does: the protocol has exactly one contract in a transaction.
    pub(super) fn body(&self, txid: TxId) -> Result<Body<'_>, UnreadBlock> {
        let [contract] = self.raw_data.contract.as_slice() else {
            return Err(UnreadBlock::Malformed {
                txid,
                what: "the one contract",
            });
        };
        Ok(Body(contract))
    }

    /// What its sender wrote on it, as far as it can be shown. No money hangs on it alone, so bytes that are no text are
    /// no reason to leave the block unread.
    pub(super) fn memo(&self) -> Option<String> {
        let bytes = hex::decode(&self.raw_data.data).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let shown = text.trim().chars().filter(|char| !char.is_control());
        let memo: String = shown.take(Transfer::MEMO_LENGTH).collect();
        (!memo.is_empty()).then_some(memo)
    }
}

impl Info {
    pub(super) fn id(&self) -> Result<TxId, UnreadBlock> {
        self.id.parse().map_err(|_| UnreadBlock::NoId)
    }

    pub(super) fn failed(&self) -> bool {
        self.result.as_deref() == Some("FAILED")
    }

    /// The calls that it came to, those that cannot be read left out.
    pub(super) fn calls(&self) -> impl Iterator<Item = Internal> {
        let told = self.internal_transactions.iter();
        let read = told.filter_map(|internal| Internal::deserialize(internal).ok());
        read.filter(Internal::is_call)
    }
}

/// What a transaction does.
pub(super) struct Body<'a>(&'a Contract);

/// A transfer of the coin.
pub(super) struct Coin {
    pub(super) from: TronAddress,
    pub(super) to: TronAddress,
    pub(super) amount: i64,
}

/// A call of a contract that is there already.
pub(super) struct Call<'a> {
    pub(super) contract: TronAddress,
    pub(super) data: &'a str,
}

impl Body<'_> {
    /// Whether it runs code: only then the receipt has a result of its own.
    pub(super) fn is_call(&self) -> bool {
        matches!(self.0.kind.as_str(), "TriggerSmartContract" | "CreateSmartContract")
    }

    /// `None` unless it sends the coin.
    pub(super) fn coin(&self, txid: TxId) -> Result<Option<Coin>, UnreadBlock> {
        #[derive(Deserialize)]
        struct Sent<'a> {
            owner_address: &'a str,
            to_address: &'a str,
            #[serde(default)]
            amount: i64,
        }
        if self.0.kind != "TransferContract" {
            return Ok(None);
        }
        let read = || {
            let sent = Sent::deserialize(&self.0.parameter.value).ok()?;
            Some(Coin {
                from: address(sent.owner_address)?,
                to: address(sent.to_address)?,
                amount: sent.amount,
            })
        };
        let what = "the transfer";
        read().map(Some).ok_or(UnreadBlock::Malformed { txid, what })
    }

    /// `None` unless it calls a contract.
    pub(super) fn call(&self, txid: TxId) -> Result<Option<Call<'_>>, UnreadBlock> {
        #[derive(Deserialize)]
        struct Called<'a> {
            contract_address: &'a str,
            #[serde(default)]
            data: &'a str,
        }
        if self.0.kind != "TriggerSmartContract" {
            return Ok(None);
        }
        let read = || {
            let called = Called::deserialize(&self.0.parameter.value).ok()?;
            Some(Call {
                contract: address(called.contract_address)?,
                data: called.data,
            })
        };
        let what = "the call";
        read().map(Some).ok_or(UnreadBlock::Malformed { txid, what })
    }
}

impl Internal {
    /// Whether it calls an account, or ends its contract and leaves an account what it had. Others (stakes, rewards) move
    /// nothing to anybody else.
    fn is_call(&self) -> bool {
        let is = |note: &str| self.note == hex::encode(note);
        is("call") || is("suicide")
    }

    /// The coin that came with it, unless it was taken back.
    pub(super) fn coin(&self) -> Option<Coin> {
        let amount = self.values.iter().find(|value| value.token.is_none())?.value;
        let sent = Coin {
            from: address(&self.caller_address)?,
            to: address(&self.to_address)?,
            amount,
        };
        (!self.rejected).then_some(sent)
    }
}

impl Log {
    /// Whose log it is: 20 bytes of hex, of which leading zeros may be missing, or an address in full.
    pub(super) fn contract(&self) -> Option<TronAddress> {
        if self.address.len() > 40 || self.address.starts_with('T') {
            return address(&self.address);
        }
        let mut last = [0; 20];
        let bytes = hex::decode(&self.address).ok()?;
        last[20 - bytes.len()..].copy_from_slice(&bytes);
        Some(TronAddress::from_evm20(last))
    }

    /// The transfer that it tells of, if it does.
    pub(super) fn transfer(&self) -> Result<Option<TransferLog>, hex::FromHexError> {
        let topics = self.topics.iter().map(hex::decode).collect::<Result<Vec<_>, _>>()?;
        let data = hex::decode(&self.data)?;
        let topics: Option<Vec<[u8; 32]>> = topics.into_iter().map(|topic| topic.try_into().ok()).collect();
        Ok(topics.and_then(|topics| TransferLog::decode(&topics, &data)))
    }
}

fn address(text: &str) -> Option<TronAddress> {
    if text.starts_with('T') {
        text.parse().ok()
    } else {
        TronAddress::from_hex(text).ok()
    }
}
