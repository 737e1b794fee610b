//! What TRX a USDT is worth.

pub(crate) mod get;
