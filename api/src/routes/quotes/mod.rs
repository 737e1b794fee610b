//! Prices that hold for a minute.

pub(crate) mod create;
