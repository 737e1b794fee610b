//! Events: what happened, for those outside who want to know. An event is written in the transaction of its cause, and with it
//! a delivery for each endpoint that asked: both or neither. Whoever reads them himself reads them in an order that misses none.

mod orders;
mod read;
mod sight;
mod wallets;

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{EmitRows, NewEventRow};
use kernel::{IdGen, UserId};
use serde_json::Value;
use uuid::Uuid;

pub use db::models::{Event, EventFilter, EventPlace, EventType};
pub(crate) use orders::{OrderNews, tell_of_orders_in_tx};
pub use read::{Start, newest, page, prune, start};
pub use sight::permission_of;
pub(crate) use sight::{check_sight, events_told};
pub(crate) use wallets::tell_of_wallet_in_tx;

use crate::DomainError;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What.
    pub event_type: EventType,
    /// To what: `order`, `deposit`, `payout`. Messages about one object are sent in order, one after the other.
    pub subject_kind: &'static str,
    /// Its id, at most 100 characters.
    pub subject_id: String,
    /// Whose it is, where that is known.
    pub user: Option<UserId>,
    /// What receivers are told: an object, in a form that is kept stable and documented in docs/API.md.
    pub data: Value,
}

/// Writes an event, with a delivery for each enabled endpoint that asked for its type. There is nothing to push after the
/// commit: workers look for what is due.
///
/// # Errors
/// When the database fails.
pub async fn emit_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    event: &NewEvent,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    emit_many_in_tx(conn, ids, std::slice::from_ref(event), now).await
}

/// [`emit_in_tx`] for many events, in one statement.
///
/// # Errors
/// When the database fails.
pub async fn emit_many_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    events: &[NewEvent],
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    if events.is_empty() {
        return Ok(());
    }
    let events: Vec<(Uuid, &NewEvent)> = events.iter().map(|event| (ids.uuid(), event)).collect();
    write_in_tx(conn, &events, None, now).await
}

/// Writes events, each under its id, for all who asked or for one endpoint alone.
pub(crate) async fn write_in_tx(
    conn: &mut Conn,
    events: &[(Uuid, &NewEvent)],
    only: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let rows = events.iter().map(|(id, event)| NewEventRow {
        id: *id,
        event_type: event.event_type,
        subject_kind: event.subject_kind,
        subject_id: event.subject_id.clone(),
        user_id: event.user.map(|user| user.0),
        data: event.data.clone(),
        created_at: now,
    });
    EmitRows::of(rows.collect(), only).insert(conn).await?;
    for (_, event) in events {
        metrics::counter!("switchyard_events_total", "type" => event.event_type.word()).increment(1);
    }
    Ok(())
}
