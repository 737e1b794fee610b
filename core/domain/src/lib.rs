//! What Switchyard does, one module per aggregate: the state machines and the use cases around them.
//!
//! No HTTP and no network: what the chain says comes in as values of `chain`, jobs go out as rows and wakes. Functions
//! that end in `_in_tx` run inside the caller's transaction.

pub mod api_keys;
pub mod audit_trail;
pub mod delegations;
pub mod deposits;
mod error;
pub mod events;
pub mod exchanges;
pub mod findings;
mod intents;
pub mod operations;
pub mod operators;
pub mod orders;
pub mod payouts;
pub mod pool;
pub mod pricing;
pub mod principals;
pub mod rates;
pub mod receivers;
pub mod reconcile;
pub mod rentals;
pub mod runtime_settings;
pub mod stakings;
pub mod standing_orders;
pub mod sweeps;
pub mod transactions;
pub mod users;
pub mod wallets;
pub mod watch;
pub mod webhooks;

pub use error::DomainError;

/// The actor of what the system does by itself.
pub const WORKER: &str = "worker";
/// The actor of what a block brought.
pub const CHAIN: &str = "chain";
