//! The price table.

pub(crate) mod get;
pub(crate) mod publish;
