//! The worker: runs the jobs, fires the schedules and reads the blocks. The only user of signing and of chain clients.

pub mod audit;
mod batch;
pub mod commands;
pub mod counters;
pub mod cron;
pub mod environment;
mod error;
pub mod gauges;
pub mod health;
mod jobs;
pub mod keys;
pub mod nodes;
pub mod queue;
pub mod rates;
pub mod registry;
pub mod rentals;
pub mod rules;
mod sender;
mod signer;
pub mod stakes;
#[cfg(debug_assertions)]
mod test_clock;
pub mod watcher;
pub mod webhooks;

pub use error::WorkError;
