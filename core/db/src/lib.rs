//! PostgreSQL: the pool, the one way to run a transaction, the generated schema, and the models with their queries.
//!
//! Queries are associated functions on models; they take the connection first and never commit.

mod error;
pub mod failpoint;
mod lazily;
mod migrate;
#[expect(
    missing_docs,
    reason = "a row's fields are its columns, which the migrations explain"
)]
pub mod models;
mod pool;
mod prepared;
#[expect(missing_docs, reason = "generated; the migrations explain the columns")]
pub mod schema;
mod shared_clock;
mod text_enum;
pub mod trail;
mod tx;

pub use error::{DbError, is_violation_of};
#[doc(hidden)]
pub use lazily::set_config;
pub use migrate::{migrate, pending_migrations};
pub use pool::{Conn, Pool, PoolConfig, PooledConn, acquire, build_pool};
pub use prepared::{Prepare, Prepared};
pub use shared_clock::SharedClock;
pub use tx::{ReFn, run_tx};
