//! Orders: accepted and paid into escrow, delivered, settled, or refunded. The states are in `db::models::OrderState`.

mod accept;
mod batch;
mod end;
mod extend;
mod house;
mod quote;
mod read;

pub use accept::{AcceptOrder, Accepted, Idempotency, OrderPolicy, accept};
pub(crate) use accept::{Purchase, check_orderable, check_ranges, earlier_in_tx, place_in_tx, quote_in_tx};
pub use batch::{BATCH_KEY_MAX, BATCH_MAX, BatchError, BatchMode, BatchResult, accept_batch};
pub use end::{cancel_by_user, cancel_past_deadline, fail_in_tx, settle_in_tx};
pub(crate) use end::{cancel_in_tx, end_past_deadline_in_tx};
pub use extend::{ExtendOrder, Extended, extend};
pub(crate) use house::{HouseOrder, accept_of_house_in_tx};
pub use quote::{Quoted, WantedQuote, quote};
pub use read::{OrderDetail, detail, find, page, to_deliver, wake_pending};

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{NewOrderEvent, OrderState};
use kernel::OrderId;
use serde_json::Value;

use crate::DomainError;

/// Something that happened to an order.
pub(crate) struct Event<'a> {
    pub(crate) order: OrderId,
    pub(crate) event: &'a str,
    pub(crate) state: OrderState,
    pub(crate) actor: &'a str,
    pub(crate) detail: Value,
}

/// Adds a line to an order's timeline, in the transaction of what happened.
pub(crate) async fn note_in_tx(conn: &mut Conn, event: Event<'_>, at: DateTime<Utc>) -> Result<(), DomainError> {
    let Event {
        order,
        event,
        state,
        actor,
        detail,
    } = event;
    Ok(NewOrderEvent {
        order_id: order.0,
        at,
        event,
        state,
        actor,
        detail,
    }
    .insert(conn)
    .await?)
}

/// A guarded update that met another state: somebody else was first, or the caller did not hold the lock it claims.
pub(crate) fn guarded(moved: bool, what: &str, id: impl std::fmt::Display) -> Result<(), DomainError> {
    if moved {
        Ok(())
    } else {
        Err(DomainError::Broken(format!(
            "{what} {id} was not in the expected state"
        )))
    }
}
