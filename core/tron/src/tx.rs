//! Building, signing and reading whole transactions. Bytes in, bytes out; no clock, no network.

mod contract;
#[cfg(test)]
mod tests;

use chain::{BlockRef, TxId};
use prost::Message;

pub use contract::ContractBody;

use crate::proto::{Transaction, TransactionRaw};
use crate::{PrivateKey, TronError, sha256};

/// Bytes that a node adds to a transaction's length when it charges bandwidth: room for the result.
const RESULT_ROOM: usize = 64;

/// The part of a block's id that ties a transaction to one fork (TAPOS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockReference {
    /// Bytes 6..8 of the id: the low 16 bits of the height.
    pub block_bytes: [u8; 2],
    /// Bytes 8..16 of the id.
    pub block_hash: [u8; 8],
}

impl BlockReference {
    /// The reference to the block with this id (64 hex digits).
    ///
    /// # Errors
    /// [`TronError::InvalidBlockId`].
    pub fn from_block_id(id: &str) -> Result<Self, TronError> {
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(id, &mut bytes).map_err(|_| TronError::InvalidBlockId)?;
        let mut reference = Self {
            block_bytes: [bytes[6], bytes[7]],
            block_hash: [0; 8],
        };
        reference.block_hash.copy_from_slice(&bytes[8..16]);
        Ok(reference)
    }

    /// The reference to a block that we read. Take a solidified one: others may be on a fork that dies.
    ///
    /// # Errors
    /// [`TronError::InvalidBlockId`].
    pub fn of(block: &BlockRef) -> Result<Self, TronError> {
        Self::from_block_id(&block.id)
    }
}

/// Everything that goes into a transaction's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedTx {
    /// What it does, and for whom.
    pub contract: ContractBody,
    /// A block of the last 65,536.
    pub reference: BlockReference,
    /// Not checked by nodes. Two transactions that are alike but for this are two; alike in this too, they are one.
    pub timestamp_ms: i64,
    /// In block time; at most a day after the head.
    pub expiration_ms: i64,
    /// Sun that a contract call may burn for energy; 0 for everything else.
    pub fee_limit_sun: i64,
    /// Costs a fee unless empty.
    pub memo: Vec<u8>,
    /// 0 for the owner's permission, 2 and up for an active one.
    pub permission_id: i32,
}

impl UnsignedTx {
    /// The bytes to hash and sign.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        TransactionRaw {
            ref_block_bytes: self.reference.block_bytes.to_vec(),
            ref_block_num: 0,
            ref_block_hash: self.reference.block_hash.to_vec(),
            expiration: self.expiration_ms,
            data: self.memo.clone(),
            contract: vec![self.contract.to_proto(self.permission_id)],
            scripts: Vec::new(),
            timestamp: self.timestamp_ms,
            fee_limit: self.fee_limit_sun,
        }
        .encode_to_vec()
    }
}

/// A transaction that is ready to be stored, then sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    /// Hash of the raw data.
    pub txid: TxId,
    /// The encoded transaction, signature included: what `broadcast` takes.
    pub bytes: Vec<u8>,
}

/// The id of the transaction with this raw data.
#[must_use]
pub fn txid(raw: &[u8]) -> TxId {
    TxId(sha256(raw))
}

/// Signs raw data with one key.
#[must_use]
pub fn sign_transaction(raw: Vec<u8>, key: &PrivateKey) -> SignedTransaction {
    let txid = txid(&raw);
    let signature = vec![key.sign(&txid.0).to_vec()];
    SignedTransaction {
        txid,
        bytes: Transaction {
            raw_data: raw,
            signature,
            ret: Vec::new(),
        }
        .encode_to_vec(),
    }
}

/// Bandwidth points that a signed transaction of this length costs.
#[must_use]
pub const fn bandwidth_of(signed_bytes_len: usize) -> usize {
    signed_bytes_len + RESULT_ROOM
}

/// A transaction taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedTransaction {
    /// Hash of the raw data.
    pub txid: TxId,
    /// What was signed.
    pub unsigned: UnsignedTx,
    /// The signatures as they came: their lengths are not checked here.
    pub signatures: Vec<Vec<u8>>,
}

/// Takes a full encoded transaction apart.
///
/// # Errors
/// [`TronError::Decode`] for bytes that are no transaction, [`TronError::NotCanonical`] where a node would hash other bytes
/// than these, [`TronError::Unsupported`] for contracts and fields that [`UnsignedTx`] cannot hold.
pub fn decode_transaction(bytes: &[u8]) -> Result<DecodedTransaction, TronError> {
    let Transaction {
        raw_data, signature, ..
    } = Transaction::decode(bytes)?;
    let raw = TransactionRaw::decode(raw_data.as_slice())?;
    if raw.encode_to_vec() != raw_data {
        return Err(TronError::NotCanonical);
    }
    let [contract] = raw.contract.as_slice() else {
        return Err(TronError::Unsupported(format!(
            "{} contracts in one transaction",
            raw.contract.len()
        )));
    };
    let reference = BlockReference {
        block_bytes: raw
            .ref_block_bytes
            .try_into()
            .map_err(|_| unsupported("reference bytes"))?,
        block_hash: raw
            .ref_block_hash
            .try_into()
            .map_err(|_| unsupported("reference hash"))?,
    };
    let unsigned = UnsignedTx {
        contract: ContractBody::from_proto(contract)?,
        reference,
        timestamp_ms: raw.timestamp,
        expiration_ms: raw.expiration,
        fee_limit_sun: raw.fee_limit,
        memo: raw.data,
        permission_id: contract.permission_id,
    };
    if unsigned.encode() != raw_data {
        return Err(unsupported("a field that is not in use"));
    }
    Ok(DecodedTransaction {
        txid: txid(&raw_data),
        unsigned,
        signatures: signature,
    })
}

fn unsupported(what: &str) -> TronError {
    TronError::Unsupported(what.to_owned())
}
