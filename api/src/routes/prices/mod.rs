//! The price table.

pub(crate) mod get;
