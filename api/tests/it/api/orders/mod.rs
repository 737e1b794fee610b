//! `/api/orders`.

mod batch;
mod cancel;
mod create;
mod get;
mod idempotency;
mod list;
mod narrowed;
