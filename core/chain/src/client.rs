//! The trait a chain client implements, and its error.

use async_trait::async_trait;
use kernel::ErrorClass;

use crate::{
    Block, BlockRef, Broadcast, Inclusion, Lent, Receiver, TokenBalance, TransferCost, TronAddress, TxId,
    WalletSnapshot,
};

/// Why a question to a chain got no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// Every endpoint failed or is resting; `last` tells of the last one tried.
    #[error("no endpoint of {network} answered: {last}")]
    Unavailable {
        /// The network asked.
        network: String,
        /// The last failure, without secrets.
        last: String,
    },
    /// An answer that contradicts the protocol, or itself.
    #[error("unusable answer from {network}: {detail}")]
    Malformed {
        /// The network asked.
        network: String,
        /// What was wrong with the answer.
        detail: String,
    },
    /// The block is not to be had whole (yet): it must not be passed.
    #[error("block {number} of {network} cannot be read whole: {detail}")]
    Incomplete {
        /// The network asked.
        network: String,
        /// The block.
        number: i64,
        /// What is missing.
        detail: String,
    },
}

impl ChainError {
    /// No answer passes: another moment, another endpoint. An answer without use may pass too, or be what every node says to
    /// this very question (a call that fails): whoever asks again must come to an end.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Unavailable { .. } | Self::Incomplete { .. } => ErrorClass::Unavailable,
            Self::Malformed { .. } => ErrorClass::Conflict,
        }
    }
}

/// A node, or several behind one face. Every call is bounded in time and size by the implementation.
#[async_trait]
pub trait ChainClient: Send + Sync {
    /// The network's name, as in the configuration and in the rows.
    fn network(&self) -> &str;

    /// The newest block.
    async fn head(&self) -> Result<BlockRef, ChainError>;

    /// The newest block that can no longer be reverted.
    async fn solid_head(&self) -> Result<BlockRef, ChainError>;

    /// The header of block `number`, or `None` above the head.
    async fn block_ref(&self, number: i64) -> Result<Option<BlockRef>, ChainError>;

    /// The header of the solidified block `number`, or `None` where that is not solidified.
    async fn solid_block_ref(&self, number: i64) -> Result<Option<BlockRef>, ChainError>;

    /// The blocks `from..=to` in order, each whole, with receipts; fewer where the head is nearer. At most 100.
    async fn blocks(&self, from: i64, to: i64) -> Result<Vec<Block>, ChainError>;

    /// The same, each of them solidified: the full side may stand on a branch that died.
    async fn solid_blocks(&self, from: i64, to: i64) -> Result<Vec<Block>, ChainError> {
        let blocks = self.blocks(from, to).await?;
        for Block { at, .. } in &blocks {
            if self
                .solid_block_ref(at.number)
                .await?
                .is_none_or(|solid| solid.id != at.id)
            {
                return Err(ChainError::Incomplete {
                    network: self.network().to_owned(),
                    number: at.number,
                    detail: format!("{} is not the solidified block", at.id),
                });
            }
        }
        Ok(blocks)
    }

    /// Sends signed bytes. Never an error: what is not known is [`Broadcast::Unknown`].
    async fn broadcast(&self, signed: &[u8]) -> Broadcast;

    /// Whether a solidified block carries `txid`. That none does is believed only if no endpoint which answers knows of one.
    async fn solid_inclusion(&self, txid: TxId) -> Result<Option<Inclusion>, ChainError>;

    /// What kind of account an address is.
    async fn receiver(&self, address: TronAddress) -> Result<Receiver, ChainError>;

    /// The figures of one of our wallets, all from one endpoint.
    async fn wallet_snapshot(&self, address: TronAddress) -> Result<WalletSnapshot, ChainError>;

    /// What an address holds of a token, and by which block, both from one endpoint.
    async fn token_balance(&self, token: TronAddress, holder: TronAddress) -> Result<TokenBalance, ChainError>;

    /// What it takes now to transfer so much of a token, all from one endpoint. Nothing is sent.
    async fn transfer_cost(
        &self,
        token: TronAddress,
        (from, to): (TronAddress, TronAddress),
        minor: u128,
    ) -> Result<TransferCost, ChainError>;

    /// Staked sun delegated for energy from `from` to `to`, locked or not.
    async fn delegated_energy_sun(&self, from: TronAddress, to: TronAddress) -> Result<i64, ChainError>;

    /// Everybody whom `from` lends stake to by solidified blocks, sorted.
    async fn borrowers(&self, from: TronAddress) -> Result<Vec<TronAddress>, ChainError>;

    /// What `from` lends each of these, out of solidified blocks and all from one endpoint.
    async fn lent(&self, from: TronAddress, to: &[TronAddress]) -> Result<Lent, ChainError>;
}
