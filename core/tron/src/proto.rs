//! The protobuf messages of TRON that we read and write, by hand: field numbers are the protocol's, names are ours.
//!
//! Encoding is canonical (fields ascending, defaults omitted), which is what nodes hash.

use prost::Message;
use prost::alloc::{string::String, vec::Vec};

/// A transaction as it is sent and as blocks carry it.
///
/// `raw_data` holds the encoded [`TransactionRaw`]: a message field and a bytes field look the same on the wire, and keeping
/// the bytes keeps the transaction's id.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Transaction {
    /// Encoded [`TransactionRaw`], what is hashed and signed.
    #[prost(bytes = "vec", tag = "1")]
    pub raw_data: Vec<u8>,
    /// 65 bytes each; more than one only for accounts with several keys.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub signature: Vec<Vec<u8>>,
    /// Only in blocks and answers; never signed or sent.
    #[prost(message, repeated, tag = "5")]
    pub ret: Vec<TransactionResult>,
}

/// How a transaction of a block ended.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct TransactionResult {
    /// Coin burned beside bandwidth and energy, in sun.
    #[prost(int64, tag = "1")]
    pub fee: i64,
    /// 0 SUCESS, 1 FAILED.
    #[prost(int32, tag = "2")]
    pub ret: i32,
    /// 0 DEFAULT, 1 SUCCESS, then the ways of failing.
    #[prost(int32, tag = "3")]
    pub contract_ret: i32,
}

/// What is signed.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct TransactionRaw {
    /// Bytes 6..8 of the reference block's id.
    #[prost(bytes = "vec", tag = "1")]
    pub ref_block_bytes: Vec<u8>,
    /// Unused by nodes.
    #[prost(int64, tag = "3")]
    pub ref_block_num: i64,
    /// Bytes 8..16 of the reference block's id.
    #[prost(bytes = "vec", tag = "4")]
    pub ref_block_hash: Vec<u8>,
    /// Milliseconds, compared with block times.
    #[prost(int64, tag = "8")]
    pub expiration: i64,
    /// Memo; not empty costs a fee.
    #[prost(bytes = "vec", tag = "10")]
    pub data: Vec<u8>,
    /// Exactly one.
    #[prost(message, repeated, tag = "11")]
    pub contract: Vec<Contract>,
    /// Unused by nodes.
    #[prost(bytes = "vec", tag = "12")]
    pub scripts: Vec<u8>,
    /// Milliseconds; not checked by nodes, so it serves as a nonce.
    #[prost(int64, tag = "14")]
    pub timestamp: i64,
    /// Sun that a contract call may burn for energy.
    #[prost(int64, tag = "18")]
    pub fee_limit: i64,
}

/// What a transaction does.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Contract {
    /// A [`ContractType`].
    #[prost(enumeration = "ContractType", tag = "1")]
    pub kind: i32,
    /// The contract of that type.
    #[prost(message, optional, tag = "2")]
    pub parameter: Option<Any>,
    /// Unused.
    #[prost(bytes = "vec", tag = "3")]
    pub provider: Vec<u8>,
    /// Unused.
    #[prost(bytes = "vec", tag = "4")]
    pub contract_name: Vec<u8>,
    /// 0 owner, 2 and up active permissions.
    #[prost(int32, tag = "5")]
    pub permission_id: i32,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Any {
    /// `type.googleapis.com/protocol.<Message>`.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The encoded message.
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// The numbers of the contracts that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum ContractType {
    /// Creates an account; we never send it. Named since zero needs a name.
    AccountCreate = 0,
    /// Sends TRX.
    Transfer = 1,
    /// Calls a contract.
    TriggerSmart = 31,
    /// Changes who may sign for an account, and what; we never send it.
    AccountPermissionUpdate = 46,
    /// Stakes.
    FreezeBalanceV2 = 54,
    /// Unstakes; the coin is locked for the unfreeze delay.
    UnfreezeBalanceV2 = 55,
    /// Takes back coin whose unfreeze delay is over.
    WithdrawExpireUnfreeze = 56,
    /// Lends stake to a receiver.
    DelegateResource = 57,
    /// Takes lent stake back.
    UnDelegateResource = 58,
    /// Stakes everything that is being unfrozen again.
    CancelAllUnfreezeV2 = 59,
}

/// What stake is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum ResourceCode {
    /// Bytes of transactions.
    Bandwidth = 0,
    /// Work of contracts.
    Energy = 1,
    /// Votes.
    TronPower = 2,
}

/// Sends TRX.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct TransferContract {
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub owner_address: Vec<u8>,
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub to_address: Vec<u8>,
    /// Sun.
    #[prost(int64, tag = "3")]
    pub amount: i64,
}

/// Calls a contract.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct TriggerSmartContract {
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub owner_address: Vec<u8>,
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub contract_address: Vec<u8>,
    /// Sun sent along.
    #[prost(int64, tag = "3")]
    pub call_value: i64,
    /// Selector and arguments.
    #[prost(bytes = "vec", tag = "4")]
    pub data: Vec<u8>,
    /// TRC10 sent along.
    #[prost(int64, tag = "5")]
    pub call_token_value: i64,
    /// Which TRC10.
    #[prost(int64, tag = "6")]
    pub token_id: i64,
}

/// Stakes.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct FreezeBalanceV2Contract {
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub owner_address: Vec<u8>,
    /// Sun.
    #[prost(int64, tag = "2")]
    pub frozen_balance: i64,
    /// What for.
    #[prost(enumeration = "ResourceCode", tag = "3")]
    pub resource: i32,
}

/// Unstakes.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct UnfreezeBalanceV2Contract {
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub owner_address: Vec<u8>,
    /// Sun.
    #[prost(int64, tag = "2")]
    pub unfreeze_balance: i64,
    /// What it was for.
    #[prost(enumeration = "ResourceCode", tag = "3")]
    pub resource: i32,
}

/// Takes back what has been unfrozen long enough.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct WithdrawExpireUnfreezeContract {
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub owner_address: Vec<u8>,
}

/// Lends stake.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct DelegateResourceContract {
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub owner_address: Vec<u8>,
    /// What for.
    #[prost(enumeration = "ResourceCode", tag = "2")]
    pub resource: i32,
    /// Sun of stake, not energy.
    #[prost(int64, tag = "3")]
    pub balance: i64,
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub receiver_address: Vec<u8>,
    /// Whether it cannot be taken back for a while.
    #[prost(bool, tag = "5")]
    pub lock: bool,
    /// For how many blocks; 0 with `lock` means three days.
    #[prost(int64, tag = "6")]
    pub lock_period: i64,
}

/// Takes lent stake back.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct UnDelegateResourceContract {
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub owner_address: Vec<u8>,
    /// What it was for.
    #[prost(enumeration = "ResourceCode", tag = "2")]
    pub resource: i32,
    /// Sun of stake.
    #[prost(int64, tag = "3")]
    pub balance: i64,
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub receiver_address: Vec<u8>,
}

/// Stakes again all that is being unfrozen.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CancelAllUnfreezeV2Contract {
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub owner_address: Vec<u8>,
}

/// Replaces all permissions of an account. Ids are given by place: 0 the owner's, 2 and up the active ones.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct AccountPermissionUpdateContract {
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub owner_address: Vec<u8>,
    /// Who may do everything.
    #[prost(message, optional, tag = "2")]
    pub owner: Option<Permission>,
    /// Who may produce blocks; only for witnesses.
    #[prost(message, optional, tag = "3")]
    pub witness: Option<Permission>,
    /// 1 to 8.
    #[prost(message, repeated, tag = "4")]
    pub actives: Vec<Permission>,
}

/// Who may sign, and what.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Permission {
    /// 0 owner, 1 witness, 2 active.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    /// 0 owner, 1 witness, 2 and up active.
    #[prost(int32, tag = "2")]
    pub id: i32,
    /// What the account's owner calls it, at most 32 bytes.
    #[prost(string, tag = "3")]
    pub name: String,
    /// Weight that signatures have to reach.
    #[prost(int64, tag = "4")]
    pub threshold: i64,
    /// Always 0.
    #[prost(int32, tag = "5")]
    pub parent_id: i32,
    /// 32 bytes, a bit for each contract type, the lowest first; empty for owners.
    #[prost(bytes = "vec", tag = "6")]
    pub operations: Vec<u8>,
    /// 1 to 5.
    #[prost(message, repeated, tag = "7")]
    pub keys: Vec<PermissionKey>,
}

/// A key of a permission (`Key` in the protocol).
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PermissionKey {
    /// 21 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub address: Vec<u8>,
    /// How much its signature counts.
    #[prost(int64, tag = "2")]
    pub weight: i64,
}
