//! The database itself: transactions, rights and the invariants that it enforces.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod lost_server;
mod migrate;
mod shared_clock;
mod trail;
mod tx;
