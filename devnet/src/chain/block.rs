//! One block: its header, its id, what it carries.

use std::sync::Arc;

use chain::TronAddress;
use prost::Message;

use super::AdminOp;
use crate::exec::Outcome;
use crate::wire::Signed;

/// Version that headers carry.
pub(crate) const VERSION: i32 = 31;

/// A transaction with what it did.
#[derive(Debug, Clone)]
pub(crate) struct Included {
    /// The transaction.
    pub(crate) tx: Arc<Signed>,
    /// What it did.
    pub(crate) outcome: Outcome,
}

/// A block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Height.
    pub(crate) number: i64,
    /// Height in 8 bytes, then the hash's last 24.
    pub(crate) id: [u8; 32],
    /// Id of the block before.
    pub(crate) parent: [u8; 32],
    /// Milliseconds.
    pub(crate) timestamp: i64,
    /// Root over the transactions.
    pub(crate) tx_root: [u8; 32],
    /// Its producer.
    pub(crate) witness: TronAddress,
    /// In order.
    pub(crate) txs: Vec<Included>,
    /// What the admin did in it.
    pub(crate) ops: Vec<AdminOp>,
}

/// What a header's hash is of: `BlockHeader.raw`.
#[derive(Clone, PartialEq, Message)]
struct HeaderRaw {
    #[prost(int64, tag = "1")]
    timestamp: i64,
    #[prost(bytes = "vec", tag = "2")]
    tx_trie_root: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    parent_hash: Vec<u8>,
    #[prost(int64, tag = "7")]
    number: i64,
    #[prost(bytes = "vec", tag = "9")]
    witness_address: Vec<u8>,
    #[prost(int32, tag = "10")]
    version: i32,
}

/// What a block is made from.
pub(super) struct Draft {
    pub(super) number: i64,
    pub(super) parent: [u8; 32],
    pub(super) timestamp: i64,
    pub(super) branch: u32,
    pub(super) txs: Vec<Included>,
    pub(super) ops: Vec<AdminOp>,
}

impl Block {
    /// Seals a block. Another branch has other producers, so that equal contents still get another id.
    pub(super) fn seal(draft: Draft) -> Self {
        let Draft {
            number,
            parent,
            timestamp,
            branch,
            txs,
            ops,
        } = draft;
        let tx_root = root(txs.iter().map(|included| included.tx.txid).collect());
        let witness = witness(branch, number);
        let header = HeaderRaw {
            timestamp,
            tx_trie_root: tx_root.to_vec(),
            parent_hash: parent.to_vec(),
            number,
            witness_address: witness.as_bytes().to_vec(),
            version: VERSION,
        };
        let mut id = tron::sha256(&header.encode_to_vec());
        id[..8].copy_from_slice(&number.to_be_bytes());
        Self {
            number,
            id,
            parent,
            timestamp,
            tx_root,
            witness,
            txs,
            ops,
        }
    }

    /// A signature of the right form; nobody checks it.
    pub(crate) fn witness_signature(&self) -> Vec<u8> {
        let mut signature = [tron::sha256(&self.id), tron::sha256(&self.parent)].concat();
        signature.push(0);
        signature
    }

    /// What transactions refer to: bytes 8..16 of the id.
    pub(crate) fn reference_hash(&self) -> &[u8] {
        &self.id[8..16]
    }
}

fn witness(branch: u32, number: i64) -> TronAddress {
    let seed = format!("witness {branch} {}", number % 27);
    let hash = tron::keccak256(seed.as_bytes());
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    TronAddress::from_evm20(address)
}

fn root(mut level: Vec<[u8; 32]>) -> [u8; 32] {
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| {
                if pair.len() == 2 {
                    tron::sha256(&pair.concat())
                } else {
                    pair[0]
                }
            })
            .collect();
    }
    level.first().copied().unwrap_or_default()
}
