//! What was paid in and is to be exchanged: in the transaction of its credit where there is a rate, else later.

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{Exchange, ExchangeCause, ExchangeState};
use kernel::{Asset, ExchangeId, IdGen};
use ledger::movements::{DepositCredit, ExchangeLegs};
use uuid::Uuid;

use super::{exchanged, tell_in_tx};
use crate::DomainError;
use crate::deposits::classify::LARGEST;
use crate::orders::guarded;
use crate::rates::{Conversion, HouseRate, RatePolicy, current_in_tx, wake_pending_in_tx};

/// What is exchanged together with credits.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    /// To be posted with the credits.
    pub(crate) legs: Vec<ExchangeLegs>,
    /// The rows of these.
    pub(crate) done: Vec<Exchange>,
}

/// Makes an exchange of each credit of USDT, of transfers given by their rows: done where there is a rate, and waiting where
/// there is none or where it makes nothing of the amount. No credit fails because of it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn plan_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    policy: &RatePolicy,
    credits: &[(Uuid, &DepositCredit)],
    now: DateTime<Utc>,
) -> Result<Planned, DomainError> {
    let mut planned = Planned::default();
    let of_usdt: Vec<_> = credits
        .iter()
        .filter(|(_, credit)| credit.asset == Asset::Usdt)
        .collect();
    if of_usdt.is_empty() {
        return Ok(planned);
    }
    let rate = current_in_tx(conn, policy, now).await?;
    let mut unable = false;
    for (transfer, credit) in of_usdt {
        let conversion = rate.as_ref().ok().and_then(|rate| {
            let conversion = rate.convert(credit.amount).ok()?;
            // so much that a balance could overflow is left to the job, which looks at the balance first
            (conversion.trx <= LARGEST).then_some((rate, conversion))
        });
        let exchange = row(ids, *transfer, credit, conversion, now);
        if !exchange.insert_if_new(conn).await? {
            continue;
        }
        let Some((_, conversion)) = conversion else {
            unable |= rate.is_ok();
            continue;
        };
        planned.legs.push(ExchangeLegs {
            exchange: ExchangeId(exchange.id),
            user: credit.user,
            usdt: credit.amount,
            trx: conversion.trx,
            actor: credit.actor.clone(),
            at: now,
        });
        planned.done.push(exchange);
    }
    // the job says what becomes of an amount that no rate makes anything of; the dispatcher brings it
    wake_pending_in_tx(conn, unable, now).await?;
    Ok(planned)
}

fn row(
    ids: &dyn IdGen,
    transfer: Uuid,
    credit: &DepositCredit,
    done: Option<(&HouseRate, Conversion)>,
    now: DateTime<Utc>,
) -> Exchange {
    let figures = done.map(|(rate, conversion)| exchanged(rate, &conversion));
    Exchange {
        id: ExchangeId::new(ids).0,
        user_id: credit.user.0,
        usdt_micro: credit.amount.minor(),
        cause: ExchangeCause::Deposit,
        transfer_id: Some(transfer),
        requested_by: credit.actor.clone().unwrap_or_else(|| crate::WORKER.to_owned()),
        state: if figures.is_some() {
            ExchangeState::Done
        } else {
            ExchangeState::Pending
        },
        rate_id: figures.map(|figures| figures.rate_id),
        rate_sun_per_usdt: figures.map(|figures| figures.rate_sun_per_usdt),
        fee_bp: figures.map(|figures| figures.fee_bp),
        net_sun_per_usdt: figures.map(|figures| figures.net_sun_per_usdt),
        sun: figures.map(|figures| figures.sun),
        reason_code: None,
        created_at: now,
        updated_at: now,
        ended_at: figures.map(|_| now),
    }
}

/// Ends what waits to be exchanged of a transfer whose credit is taken back.
///
/// # Errors
/// When the database fails.
pub(crate) async fn cancel_of_transfer_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transfer: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let Some(waiting) = Exchange::lock_pending_of_transfer(conn, transfer).await? else {
        return Ok(());
    };
    let moved = Exchange::set_failed(conn, waiting.id, "deposit_reversed", now).await?;
    guarded(moved, "exchange", waiting.id)?;
    let failed = Exchange::find(conn, waiting.id).await?;
    tell_in_tx(conn, ids, failed.as_slice(), now).await
}
