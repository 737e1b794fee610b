//! The ledger against a real database: what moves, what is refused, and what stays true beside others.

mod bank;
mod catalogue;
mod checkpoints;
mod guards;
mod model;
mod movements;
mod posting;
mod proofs;
mod support;
