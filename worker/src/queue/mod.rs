//! The adapter between jobs and apalis: brings due jobs to their handlers and writes down how they ended.
//!
//! PostgreSQL says what is due; Redis only wakes. No other folder knows apalis, and nothing here knows what a job does.

mod cleaner;
mod dispatcher;
mod handler;
mod liveness;
mod poll;
mod runner;
mod subscriber;
mod supervisor;
mod workers;

pub use handler::{Handler, Outcome, Registry};
pub use liveness::Liveness;
pub use workers::{QueueSetup, Workers};
