//! Test support: databases cloned from a migrated template, Redis namespaces, and suites in other languages. Linked from dev-dependencies only.
//!
//! The services come from `cargo xtask test`, which sets `SWITCHYARD_TEST_DATABASE_URL` (the owner of the schema, on the
//! database `postgres`) and `SWITCHYARD_TEST_REDIS_URL`.

#![expect(clippy::expect_used, reason = "a helper that fails fails its test")]

mod database;
mod proxy;
mod redis_namespace;
mod suite;

pub use database::{Role, TestDb};
pub use proxy::Proxy;
pub use redis_namespace::TestRedis;
pub use suite::Suite;
