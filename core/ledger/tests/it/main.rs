//! The ledger against a real database: what moves, what is refused, and what stays true beside others.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod bank;
mod catalogue;
mod checkpoints;
mod exchanges;
mod guards;
mod model;
mod movements;
mod payouts;
mod posting;
mod proofs;
mod support;
mod sweeps;
