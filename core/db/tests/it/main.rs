//! The database itself: transactions, rights and the invariants that it enforces.

mod migrate;
mod tx;
