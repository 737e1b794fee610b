//! Shapes of the nodes' JSON, as far as we read it. Defaults are left out by nodes: a missing number is zero.
//!
//! Whole numbers are read as `i64`, never through a float. An answer with another number where a whole one belongs is refused.

use chain::endpoints::Unusable;
use chain::{BlockRef, Inclusion, TxId, TxOutcome};
use chrono::DateTime;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::permissions::PermissionRow;
use crate::transfers::Transaction;
use crate::trc20;

/// How much of a node's own words is kept.
const MAX_WORDS: usize = 300;

/// Why an answer does not do.
pub(super) fn wrong(detail: impl Into<String>) -> Unusable {
    Unusable::new(detail)
}

/// The beginning of a node's own words.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(MAX_WORDS).collect()
}

/// Reads an answer. `{"Error": …}` is a failure that comes with status 200, and so is what is not JSON.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unusable> {
    if body.trim_ascii_start().first() == Some(&b'{') {
        let probe: Probe = parse(body)?;
        if let Some(error) = probe.error {
            return Err(refused(&error.to_string()));
        }
    }
    parse(body)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unusable> {
    serde_json::from_slice(body).map_err(|error| {
        let start = String::from_utf8_lossy(&body[..body.len().min(80)]);
        wrong(format!("{error}; it begins with {start:?}"))
    })
}

/// Nodes and their gateways say in words that they are asked too much.
fn refused(words: &str) -> Unusable {
    let throttled = [
        "lack of computing resources",
        "frequency limit",
        "request rate exceeded",
    ];
    let throttled = throttled.iter().any(|known| words.contains(known));
    Unusable {
        detail: shortened(words),
        throttled,
    }
}

#[derive(Deserialize)]
struct Probe {
    #[serde(rename = "Error")]
    error: Option<serde_json::Value>,
}

/// A block without its transactions; `{}` where there is none.
#[derive(Deserialize)]
pub(super) struct Header {
    #[serde(rename = "blockID")]
    id: Option<String>,
    block_header: Option<HeaderOuter>,
}

#[derive(Deserialize)]
struct HeaderOuter {
    raw_data: HeaderRaw,
}

#[derive(Deserialize)]
struct HeaderRaw {
    #[serde(default)]
    number: i64,
    #[serde(default)]
    timestamp: i64,
    #[serde(rename = "parentHash")]
    parent_hash: String,
    #[serde(rename = "txTrieRoot")]
    tx_trie_root: Option<String>,
}

impl Header {
    /// Whether the header says that the block holds transactions: the root over none is zero. `None` where it says nothing.
    pub(super) fn holds_transactions(&self) -> Option<bool> {
        let root = self.block_header.as_ref()?.raw_data.tx_trie_root.as_deref()?;
        Some(root.bytes().any(|byte| byte != b'0'))
    }

    /// The block's place, if there is a block; the height has to be the one that its id begins with.
    pub(super) fn block_ref(self) -> Result<Option<BlockRef>, Unusable> {
        let (id, raw) = match (self.id, self.block_header) {
            (None, None) => return Ok(None),
            (Some(id), Some(header)) => (id, header.raw_data),
            _ => return Err(wrong("half a block")),
        };
        if !is_block_id(&id) || !is_block_id(&raw.parent_hash) {
            return Err(wrong("a block id that is not 64 lower-case hex digits"));
        }
        if id[..16] != format!("{:016x}", raw.number) {
            return Err(wrong(format!("block {} with the id {id}", raw.number)));
        }
        let time = DateTime::from_timestamp_millis(raw.timestamp).ok_or_else(|| wrong("a block time out of range"))?;
        Ok(Some(BlockRef {
            number: raw.number,
            id,
            parent_id: raw.parent_hash,
            time,
        }))
    }
}

fn is_block_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Several blocks; `{}` where there are none.
#[derive(Deserialize)]
pub(super) struct BlockList {
    #[serde(default)]
    pub(super) block: Vec<FullBlock>,
}

/// A block with its transactions.
#[derive(Deserialize)]
pub(super) struct FullBlock {
    #[serde(flatten)]
    pub(super) header: Header,
    #[serde(default)]
    pub(super) transactions: Vec<Transaction>,
}

/// A transaction's receipt, as far as it says where it is and how it ended; `{}` where there is none.
#[derive(Deserialize)]
pub(super) struct Info {
    id: Option<String>,
    #[serde(default, rename = "blockNumber")]
    block_number: i64,
    result: Option<String>,
    #[serde(default)]
    receipt: Receipt,
}

/// How a call ended.
#[derive(Default, Deserialize)]
struct Receipt {
    result: Option<String>,
}

impl Info {
    /// Where `txid` was found. Only contract calls have a result in the receipt, and only they can be in a block and have
    /// failed.
    pub(super) fn inclusion(self, txid: TxId) -> Result<Option<Inclusion>, Unusable> {
        let Some(id) = &self.id else { return Ok(None) };
        if *id != txid.to_string() || self.block_number <= 0 {
            return Err(wrong(format!(
                "the receipt of {} in block {}",
                shortened(id),
                self.block_number
            )));
        }
        let failed =
            self.result.as_deref() == Some("FAILED") || self.receipt.result.is_some_and(|end| end != "SUCCESS");
        let outcome = if failed { TxOutcome::Failed } else { TxOutcome::Ok };
        Ok(Some(Inclusion {
            block_number: self.block_number,
            outcome,
        }))
    }
}

/// An account; `{}` where it was never activated.
#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) address: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) balance: i64,
    #[serde(default, rename = "frozenV2")]
    pub(super) frozen: Vec<Frozen>,
    #[serde(default, rename = "unfrozenV2")]
    pub(super) unfrozen: Vec<Unfrozen>,
    #[serde(default, rename = "delegated_frozenV2_balance_for_bandwidth")]
    pub(super) delegated_bandwidth_sun: i64,
    #[serde(default)]
    pub(super) account_resource: AccountResource,
    pub(super) owner_permission: Option<PermissionRow>,
    #[serde(default)]
    pub(super) active_permission: Vec<PermissionRow>,
}

/// Stake that is not delegated out. Without a type it is for bandwidth.
#[derive(Deserialize)]
pub(super) struct Frozen {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) amount: i64,
}

/// Stake on its way back to coin. Without a type it was for bandwidth.
#[derive(Deserialize)]
pub(super) struct Unfrozen {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(default, rename = "unfreeze_amount")]
    pub(super) amount: i64,
    #[serde(default, rename = "unfreeze_expire_time")]
    pub(super) ready_ms: i64,
}

/// The part of an account that is about energy.
#[derive(Default, Deserialize)]
pub(super) struct AccountResource {
    #[serde(default, rename = "delegated_frozenV2_balance_for_energy")]
    pub(super) delegated_energy_sun: i64,
}

/// An account's resources, and the network's.
#[derive(Deserialize)]
pub(super) struct Resources {
    #[serde(default, rename = "freeNetUsed")]
    pub(super) free_net_used: i64,
    #[serde(default, rename = "freeNetLimit")]
    pub(super) free_net_limit: i64,
    #[serde(default, rename = "NetUsed")]
    pub(super) net_used: i64,
    #[serde(default, rename = "NetLimit")]
    pub(super) net_limit: i64,
    #[serde(default, rename = "TotalNetLimit")]
    pub(super) total_net_limit: i64,
    #[serde(default, rename = "TotalNetWeight")]
    pub(super) total_net_weight: i64,
    #[serde(default, rename = "EnergyLimit")]
    pub(super) energy_limit: i64,
    #[serde(default, rename = "EnergyUsed")]
    pub(super) energy_used: i64,
    #[serde(default, rename = "TotalEnergyLimit")]
    pub(super) total_energy_limit: i64,
    #[serde(default, rename = "TotalEnergyWeight")]
    pub(super) total_energy_weight: i64,
}

/// What can be delegated now.
#[derive(Deserialize)]
pub(super) struct Delegatable {
    #[serde(default)]
    pub(super) max_size: i64,
}

/// What one account lent another: an unlocked and a locked row at most.
#[derive(Deserialize)]
pub(super) struct Delegations {
    #[serde(default, rename = "delegatedResource")]
    pub(super) rows: Vec<Delegation>,
}

/// One row of it.
#[derive(Deserialize)]
pub(super) struct Delegation {
    #[serde(default, rename = "frozen_balance_for_energy")]
    pub(super) energy_sun: i64,
}

/// Whom an account lends stake to; `{}` where to nobody.
#[derive(Deserialize)]
pub(super) struct Borrowers {
    pub(super) account: Option<String>,
    #[serde(default, rename = "toAccounts")]
    pub(super) to: Vec<String>,
}

/// The answer to a call that changes nothing.
#[derive(Deserialize)]
pub(super) struct Answered {
    #[serde(default)]
    result: AnsweredResult,
    #[serde(default)]
    constant_result: Vec<String>,
    #[serde(default)]
    energy_used: i64,
    #[serde(default)]
    transaction: AnsweredTransaction,
}

#[derive(Default, Deserialize)]
struct AnsweredTransaction {
    #[serde(default)]
    ret: Vec<AnsweredRet>,
}

#[derive(Deserialize)]
struct AnsweredRet {
    ret: Option<String>,
}

/// The network's parameters, as the committee set them. A value that is missing is 0.
#[derive(Deserialize)]
pub(super) struct Parameters {
    #[serde(default, rename = "chainParameter")]
    rows: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Parameter {
    key: String,
    #[serde(default)]
    value: i64,
}

impl Parameters {
    /// The parameter of this name.
    pub(super) fn value(&self, key: &str) -> Option<i64> {
        self.rows.iter().find(|row| row.key == key).map(|row| row.value)
    }
}

#[derive(Default, Deserialize)]
struct AnsweredResult {
    #[serde(default)]
    result: bool,
}

impl Answered {
    /// The energy that the call took. One that was reverted says nothing of one that is not.
    pub(super) fn energy(&self) -> Result<i64, Unusable> {
        let reverted = self.transaction.ret.iter().any(|row| row.ret.is_some());
        if !self.result.result || reverted || self.energy_used <= 0 {
            return Err(wrong("a call that failed"));
        }
        Ok(self.energy_used)
    }

    /// The one number that was answered.
    pub(super) fn amount(self) -> Result<u128, Unusable> {
        let word = match self.constant_result.as_slice() {
            [word] if self.result.result => word,
            _ => return Err(wrong("a call that failed")),
        };
        let mut bytes = [0; 32];
        hex::decode_to_slice(word, &mut bytes).map_err(|_| wrong(format!("{:?} for a number", shortened(word))))?;
        trc20::amount_u128(&bytes).ok_or_else(|| wrong("a number beyond all balances"))
    }
}

/// The answer to a broadcast.
#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    pub(super) result: bool,
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) message: String,
    pub(super) txid: Option<String>,
}
