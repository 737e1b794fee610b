//! A TRON network in a process, for development, demonstration and tests: the real node's HTTP API over a chain of its
//! own, with the real rules and error texts for what an energy supplier does, and faults on request.
//!
//! It must never be a mock of our own client: clients that others wrote work against it too, and it uses none of the
//! product's network code. Nothing here is fit for real money.

mod admin;
mod api;
mod chain;
mod config;
mod customer;
mod devnet;
mod error;
mod exec;
mod faults;
mod fields;
mod forwarder;
mod journal;
mod node;
mod params;
mod state;
mod usdt;
mod wire;

pub use crate::chain::{ActivePermission, ForkKeep};
pub use config::{DevnetConfig, GenesisAccount, Interval};
pub use devnet::Devnet;
pub use error::DevnetError;
pub use faults::{Fault, FaultRule, Match};
pub use forwarder::forwarding;
