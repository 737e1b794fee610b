//! The use cases against a real database, with the rights of the processes that call them. The chain is made of values.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod accept;
mod adopt;
mod answers;
mod approvals;
mod audit_trail;
mod cancel;
mod choice;
mod claim;
mod claim_many;
mod deposits;
mod events;
mod exchanges;
mod extend;
mod finality;
mod fork;
mod harness;
mod health;
mod holds;
mod lent;
mod operations;
mod operators;
mod parts;
mod payouts;
mod rates;
mod receivers;
mod reclaim;
mod reconcile;
mod runtime_settings;
mod snapshot;
mod stakings;
mod standing;
mod states;
mod sweeps;
mod walk;
mod watch;
mod world;
