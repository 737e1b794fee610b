//! Exchanges of a user's USDT to TRX: asked for, or made of what was paid in. Each is done once, at a stored rate that was in
//! use at that moment, in the transaction that makes it where there is a rate; what comes in while there is none waits.
//!
//! Lock order: incoming transfer, exchange, ledger accounts.

mod news;
mod of_deposits;
mod pending;
mod read;
mod request;

pub(crate) use news::tell_in_tx;
pub(crate) use of_deposits::{Planned, cancel_of_transfer_in_tx, plan_in_tx};
pub use pending::{Settled, settle_next};
pub use read::{find, page};
pub use request::{RequestExchange, Requested, request};

use db::models::Exchanged;

use crate::rates::{Conversion, HouseRate};

/// The figures that are stored of an exchange.
fn exchanged(rate: &HouseRate, conversion: &Conversion) -> Exchanged {
    Exchanged {
        rate_id: rate.id,
        rate_sun_per_usdt: rate.sun_per_usdt,
        fee_bp: rate.fee_bp,
        net_sun_per_usdt: conversion.net_sun_per_usdt,
        sun: conversion.trx.minor(),
    }
}
