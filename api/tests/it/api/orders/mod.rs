//! `/api/orders`.

mod cancel;
mod create;
mod get;
mod idempotency;
mod list;
