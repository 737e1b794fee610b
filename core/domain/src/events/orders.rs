//! What receivers are told of orders: the order as the API shows it, and the transaction that did it.

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{EventType, Order};
use kernel::{Amount, Asset, IdGen, UserId};
use serde_json::{Value, json};

use super::{NewEvent, write_in_tx};
use crate::DomainError;

/// News of one order.
#[derive(Debug, Clone)]
pub(crate) struct OrderNews<'a> {
    /// The order as it is from now on.
    pub(crate) order: &'a Order,
    /// The transaction on chain that did it.
    pub(crate) txid: Option<&'a str>,
}

impl<'a> OrderNews<'a> {
    /// News that no transaction brought.
    pub(crate) const fn of(order: &'a Order) -> Self {
        Self { order, txid: None }
    }
}

/// Tells of orders, all of them in one statement.
pub(crate) async fn tell_of_orders_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    event_type: EventType,
    news: &[OrderNews<'_>],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if news.is_empty() {
        return Ok(());
    }
    let events = news.iter().map(|news| event(event_type, news));
    let events = events.collect::<Result<Vec<_>, _>>()?;
    let events: Vec<_> = events.iter().map(|event| (ids.uuid(), event)).collect();
    write_in_tx(conn, &events, None, now).await
}

fn event(event_type: EventType, news: &OrderNews<'_>) -> Result<NewEvent, DomainError> {
    Ok(NewEvent {
        event_type,
        subject_kind: "order",
        subject_id: news.order.id.to_string(),
        user: Some(UserId(news.order.user_id)),
        data: data(news)?,
    })
}

/// The fields of the API's own view of an order, and `txid`.
fn data(OrderNews { order, txid }: &OrderNews<'_>) -> Result<Value, DomainError> {
    let price = Amount::from_minor(order.price_sun)
        .map_err(|_| DomainError::Broken(format!("{} sun of order {} are no amount", order.price_sun, order.id)))?;
    Ok(json!({
        "id": order.id,
        "user_id": order.user_id,
        "receiver": order.receiver,
        "energy": order.energy,
        "duration_s": order.duration_s,
        "price": { "amount": price, "asset": Asset::Trx },
        "state": order.state,
        "reason": order.reason_code,
        "txid": txid,
        "created_at": order.created_at,
        "deadline_at": order.deadline_at,
        "completed_at": order.completed_at,
        "ends_at": order.ends_at,
        "settled_at": order.settled_at,
    }))
}
