//! Chains as the rest of the house sees them: blocks, inclusions, broadcast answers, and the trait a client implements.
//!
//! Chain-neutral: what is peculiar to TRON is in `tron`. Address texts are checked here, since the API needs that and
//! must not link a chain client.

mod address;
mod client;
pub mod endpoints;
mod types;

pub use address::{AddressError, TronAddress};
pub use client::{ChainClient, ChainError};
pub use types::{
    AccountPermissions, Block, BlockRef, Broadcast, ChainAmount, EnergyMarket, Inclusion, Lent, MovedBy, Operations,
    Permission, PermissionKey, Receiver, Refusal, Resource, TokenBalance, TransactionSeen, Transfer, TransferAsset,
    TransferCost, TxId, TxOutcome, Unfreezing, WalletSnapshot,
};
