//! Exchanges that wait for a rate, one after the other, each in a transaction of its own.

use chrono::{DateTime, Utc};
use db::models::{Exchange, ExchangeState};
use db::{Conn, Pool, run_tx};
use kernel::{Amount, Asset, ExchangeId, IdGen, UserId};
use ledger::lock_user_balance_in_tx;
use ledger::movements::{ExchangeLegs, exchange_in_tx};

use super::{exchanged, tell_in_tx};
use crate::DomainError;
use crate::orders::guarded;
use crate::rates::{Conversion, HouseRate, NotConverted, RatePolicy, current_in_tx};

/// What came of a look at what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Nothing waits that nobody else works on.
    Nothing,
    /// There is no rate.
    NoRate,
    /// One was done.
    Done,
    /// One cannot be done, and ended.
    Failed,
}

/// Does the exchange that has waited longest, at the rate in use. One whose user has spent the USDT meanwhile, or that no
/// rate makes anything of, ends without moving anything.
///
/// # Errors
/// When the database fails; nothing is written then.
pub async fn settle_next(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &RatePolicy,
    now: DateTime<Utc>,
) -> Result<Settled, DomainError> {
    run_tx(pool, "settle_exchange", async |conn| {
        let Some(waiting) = Exchange::lock_next_pending(conn).await? else {
            return Ok(Settled::Nothing);
        };
        let Ok(rate) = current_in_tx(conn, policy, now).await? else {
            return Ok(Settled::NoRate);
        };
        let usdt = Amount::from_minor(waiting.usdt_micro)
            .map_err(|_| DomainError::Broken(format!("the amount of exchange {}", waiting.id)))?;
        let user = UserId(waiting.user_id);
        match possible(conn, &rate, user, usdt).await? {
            Ok(conversion) => {
                do_in_tx(conn, &waiting, (&rate, usdt, conversion), now).await?;
            }
            Err(reason) => {
                let moved = Exchange::set_failed(conn, waiting.id, reason, now).await?;
                guarded(moved, "exchange", waiting.id)?;
            }
        }
        let ended = Exchange::find(conn, waiting.id).await?;
        tell_in_tx(conn, ids, ended.as_slice(), now).await?;
        let done = ended.is_some_and(|exchange| exchange.state == ExchangeState::Done);
        Ok(if done { Settled::Done } else { Settled::Failed })
    })
    .await
}

/// What the exchange would give, or why it cannot be. Both balances are locked, in the order in which the ledger locks them.
async fn possible(
    conn: &mut Conn,
    rate: &HouseRate,
    user: UserId,
    usdt: Amount,
) -> Result<Result<Conversion, &'static str>, DomainError> {
    let trx = lock_user_balance_in_tx(conn, user, Asset::Trx).await?;
    let has = lock_user_balance_in_tx(conn, user, Asset::Usdt).await?;
    if has < usdt {
        return Ok(Err("funds_spent"));
    }
    let conversion = rate.convert(usdt).map_err(NotConverted::word);
    Ok(conversion.and_then(|conversion| match trx.checked_add(conversion.trx) {
        Some(_) => Ok(conversion),
        None => Err(NotConverted::TooLarge.word()),
    }))
}

async fn do_in_tx(
    conn: &mut Conn,
    waiting: &Exchange,
    (rate, usdt, conversion): (&HouseRate, Amount, Conversion),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let moved = Exchange::set_done(conn, waiting.id, &exchanged(rate, &conversion), now).await?;
    guarded(moved, "exchange", waiting.id)?;
    let legs = ExchangeLegs {
        exchange: ExchangeId(waiting.id),
        user: UserId(waiting.user_id),
        usdt,
        trx: conversion.trx,
        actor: None,
        at: now,
    };
    exchange_in_tx(conn, &legs).await?;
    Ok(())
}
