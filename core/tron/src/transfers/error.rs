//! Why a block's money cannot be told.

use chain::TxId;
use kernel::ErrorClass;

/// Block and receipts that must not be used: it is not certain that they tell of every transfer, and of nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadBlock {
    /// A transaction without a receipt, or one that is in the block twice.
    #[error("no receipt of {0}")]
    NoInfo(TxId),
    /// A receipt of a transaction that is not in the block.
    #[error("a receipt of {0}, which is not in the block")]
    Stranger(TxId),
    /// Two receipts of one transaction.
    #[error("two receipts of {0}")]
    Twice(TxId),
    /// A receipt of another block; without a number, of block zero.
    #[error("a receipt of block {0}")]
    OtherBlock(i64),
    /// A transaction or a receipt without a readable id.
    #[error("a transaction or a receipt without an id")]
    NoId,
    /// A transaction that does not say how it ended. That is neither success nor failure.
    #[error("transaction {0} has no result")]
    NoResult(TxId),
    /// The block says that it succeeded and the receipt does not, or the other way round.
    #[error("block and receipt disagree on how {0} ended")]
    Contradiction(TxId),
    /// A call that moved a token, and no log of it: the node strips logs.
    #[error("no logs of {0}, which moved a token")]
    NoLogs(TxId),
    /// Something that money depends on is not what the protocol says.
    #[error("{what} of {txid} cannot be read")]
    Malformed {
        /// Of which transaction.
        txid: TxId,
        /// What.
        what: &'static str,
    },
}

impl UnreadBlock {
    /// All of them may pass: another moment, another node.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        ErrorClass::Unavailable
    }
}
