//! An exchange that somebody asks for: done at once, or refused.

use chrono::{DateTime, Utc};
use db::models::{Exchange, ExchangeCause, ExchangeState, User};
use db::{Conn, Pool, run_tx};
use kernel::{Amount, ApiKeyId, ExchangeId, IdGen, UserId};
use ledger::LedgerError;
use ledger::movements::{ExchangeLegs, exchange_in_tx};

use super::{exchanged, tell_in_tx};
use crate::DomainError;
use crate::orders::{Idempotency, earlier_in_tx};
use crate::rates::{NotConverted, RatePolicy, current_in_tx};

/// What idempotency rows of exchanges point to.
const RESOURCE: &str = "exchange";

/// An exchange to do.
#[derive(Debug, Clone)]
pub struct RequestExchange {
    /// Who calls.
    pub api_key: ApiKeyId,
    /// How he is named in timelines and in the ledger.
    pub actor: String,
    /// Whose money.
    pub user: UserId,
    /// How much USDT.
    pub usdt: Amount,
    /// The least TRX that it is done for.
    pub min_receive: Option<Amount>,
    /// The caller's mark.
    pub idempotency: Idempotency,
}

/// The exchange, new or as it was done before.
#[derive(Debug, Clone)]
pub struct Requested {
    /// The exchange.
    pub exchange: Exchange,
    /// Whether this request was carried out before.
    pub replayed: bool,
}

/// Exchanges at the rate in use, once per idempotency key.
///
/// # Errors
/// There is no rate in use, it gives less than is wanted or nothing, the balance is too small, the user is blocked, or the
/// key was used for another request; nothing is written then.
pub async fn request(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &RatePolicy,
    request: &RequestExchange,
    now: DateTime<Utc>,
) -> Result<Requested, DomainError> {
    let id = ExchangeId::new(ids);
    run_tx(pool, "request_exchange", async |conn| {
        let mark = (request.api_key, &request.idempotency);
        if let Some(earlier) = earlier_in_tx(conn, mark, (RESOURCE, id.to_string()), now).await? {
            let broken = || DomainError::Broken(format!("exchange {earlier} of an idempotency key is missing"));
            let earlier: ExchangeId = earlier.parse().map_err(|_| broken())?;
            let exchange = Exchange::find(conn, earlier.0).await?.ok_or_else(broken)?;
            return Ok(Requested {
                exchange,
                replayed: true,
            });
        }
        let exchange = request_new(conn, id, policy, request, now).await?;
        tell_in_tx(conn, ids, std::slice::from_ref(&exchange), now).await?;
        Ok(Requested {
            exchange,
            replayed: false,
        })
    })
    .await
}

async fn request_new(
    conn: &mut Conn,
    id: ExchangeId,
    policy: &RatePolicy,
    request: &RequestExchange,
    now: DateTime<Utc>,
) -> Result<Exchange, DomainError> {
    if request.usdt.is_zero() {
        return Err(LedgerError::ZeroAmount.into());
    }
    if User::ensure(conn, request.user.0, now).await?.blocked_at.is_some() {
        return Err(DomainError::UserBlocked);
    }
    let rate = current_in_tx(conn, policy, now).await?;
    let rate = rate.map_err(|none| DomainError::RateUnavailable(none.word()))?;
    let conversion = rate.convert(request.usdt).map_err(|not| {
        DomainError::ExchangeAmount(match not {
            NotConverted::TooSmall => "this is worth less than the smallest unit of TRX; exchange more at once",
            NotConverted::TooLarge => "this is more than can be held; exchange less at once",
        })
    })?;
    if request.min_receive.is_some_and(|least| conversion.trx < least) {
        return Err(DomainError::ReceiveBelowMinimum { would: conversion.trx });
    }
    let actor = request.actor.clone();
    let figures = exchanged(&rate, &conversion);
    let exchange = Exchange {
        id: id.0,
        user_id: request.user.0,
        usdt_micro: request.usdt.minor(),
        cause: ExchangeCause::Request,
        transfer_id: None,
        requested_by: actor.clone(),
        state: ExchangeState::Done,
        rate_id: Some(figures.rate_id),
        rate_sun_per_usdt: Some(figures.rate_sun_per_usdt),
        fee_bp: Some(figures.fee_bp),
        net_sun_per_usdt: Some(figures.net_sun_per_usdt),
        sun: Some(figures.sun),
        reason_code: None,
        created_at: now,
        updated_at: now,
        ended_at: Some(now),
    };
    exchange.insert_if_new(conn).await?;
    let legs = ExchangeLegs {
        exchange: id,
        user: request.user,
        usdt: request.usdt,
        trx: conversion.trx,
        actor: Some(actor),
        at: now,
    };
    exchange_in_tx(conn, &legs).await?;
    Ok(exchange)
}
