//! TRON: encoding, hashing, keys, signing and energy arithmetic as pure modules, and the node client.
//!
//! Transactions are made here, byte for byte; a node is never asked to build what we sign.
#![warn(clippy::float_arithmetic)]

mod account;
mod client;
mod energy;
mod error;
mod hash;
mod keys;
mod mnemonic;
pub mod proto;
pub mod transfers;
pub mod trc20;
mod tx;

pub use account::AccountPrivateKey;
pub use client::TronClient;
pub use energy::{
    EnergyStake, Undelegation, Usage, delegatable_sun, energy_for_sun, returned_usage, sun_for_energy,
    sun_for_energy_with_margin, usage_sun,
};
pub use error::TronError;
pub use hash::{keccak256, sha256};
pub use keys::{PrivateKey, recover_address};
pub use mnemonic::{Mnemonic, WordCount};
pub use tx::{
    BlockReference, ContractBody, DecodedTransaction, SignedTransaction, UnsignedTx, bandwidth_of, decode_transaction,
    sign_transaction, txid,
};
