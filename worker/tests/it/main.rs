//! The worker against real PostgreSQL and Redis.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper that fails fails its test"
)]

mod cron;
mod flows;
mod harness;
mod metrics;
mod postgres_restarts;
mod processes;
mod queue;
mod queue_faults;
mod queue_support;
