//! What receivers are told of exchanges: the exchange as the API shows it.

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{EventType, Exchange, ExchangeState};
use kernel::{Amount, Asset, IdGen, UserId};
use serde_json::{Value, json};

use crate::DomainError;
use crate::events::{NewEvent, emit_many_in_tx};

/// Tells of exchanges that came to their end; of one that waits there is nothing to tell.
pub(crate) async fn tell_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    exchanges: &[Exchange],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if exchanges.is_empty() {
        return Ok(());
    }
    let mut events = Vec::with_capacity(exchanges.len());
    for exchange in exchanges {
        let event_type = match exchange.state {
            ExchangeState::Pending => continue,
            ExchangeState::Done => EventType::ExchangeCompleted,
            ExchangeState::Failed => EventType::ExchangeFailed,
        };
        events.push(NewEvent {
            event_type,
            subject_kind: "exchange",
            subject_id: exchange.id.to_string(),
            user: Some(UserId(exchange.user_id)),
            data: data(exchange)?,
        });
    }
    emit_many_in_tx(conn, ids, &events, now).await
}

/// The fields of the API's own view, but for who asked.
fn data(exchange: &Exchange) -> Result<Value, DomainError> {
    let amount = |minor: i64| {
        Amount::from_minor(minor)
            .map_err(|_| DomainError::Broken(format!("{minor} of exchange {} are no amount", exchange.id)))
    };
    let trx = exchange.sun.map(amount).transpose()?;
    let rate = exchange.rate_sun_per_usdt.map(amount).transpose()?;
    let net = exchange.net_sun_per_usdt.map(amount).transpose()?;
    Ok(json!({
        "id": exchange.id,
        "user_id": exchange.user_id,
        "state": exchange.state,
        "reason": exchange.reason_code,
        "cause": exchange.cause,
        "transfer_id": exchange.transfer_id,
        "from": { "amount": amount(exchange.usdt_micro)?, "asset": Asset::Usdt },
        "to": trx.map(|trx| json!({ "amount": trx, "asset": Asset::Trx })),
        "rate_id": exchange.rate_id,
        "rate": rate,
        "fee_bp": exchange.fee_bp,
        "net_rate": net,
        "created_at": exchange.created_at,
        "ended_at": exchange.ended_at,
    }))
}
