//! Standing orders: an address is kept at so much energy until a date or a budget. Each time it is found to have less, or
//! soon to have less, an order like every other is placed and paid for it.

mod keep;
mod open;

use chrono::{DateTime, Utc};
use db::models::{StandingFigures, StandingOrder, StandingState};
use db::{Conn, Pool, acquire};
use kernel::{Amount, IdGen, OrderId, StandingOrderId, UserId};
use serde_json::json;

pub use keep::{Kept, Need, Seen, keep, need};
pub use open::{OpenStanding, Opened, open, stop};

use crate::DomainError;
use crate::events::{EventType, NewEvent, emit_in_tx};

/// Orders that are shown with one.
const SHOWN: i64 = 100;

/// A standing order with what became of it.
#[derive(Debug, Clone)]
pub struct StandingDetail {
    /// Itself.
    pub standing: StandingOrder,
    /// What became of its orders.
    pub figures: StandingFigures,
    /// The orders placed for it, newest first.
    pub orders: Vec<OrderId>,
}

/// A standing order with what became of it.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn detail(pool: &Pool, id: StandingOrderId, now: DateTime<Utc>) -> Result<StandingDetail, DomainError> {
    let mut conn = acquire(pool).await?;
    let standing = StandingOrder::find(&mut conn, id.0).await?;
    Ok(StandingDetail {
        standing: standing.ok_or(NOT_FOUND)?,
        figures: StandingOrder::figures(&mut conn, id.0, i64::MAX, now).await?,
        orders: StandingOrder::orders(&mut conn, id.0, SHOWN)
            .await?
            .into_iter()
            .map(OrderId)
            .collect(),
    })
}

/// A page, newest first, before `before`; in any state where none is given.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    pool: &Pool,
    (user, states): (Option<UserId>, &[StandingState]),
    before: Option<StandingOrderId>,
    limit: i64,
) -> Result<Vec<StandingOrder>, DomainError> {
    let mut conn = acquire(pool).await?;
    let filter = (user.map(|user| user.0), states);
    Ok(StandingOrder::page(&mut conn, filter, before.map(|id| id.0), limit).await?)
}

const NOT_FOUND: DomainError = DomainError::NotFound("standing order");

async fn tell_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    event_type: EventType,
    (standing, code): (&StandingOrder, &str),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let budget = Amount::from_minor(standing.budget_sun)
        .map_err(|_| DomainError::Broken(format!("the budget of standing order {}", standing.id)))?;
    let event = NewEvent {
        event_type,
        subject_kind: "standing_order",
        subject_id: standing.id.to_string(),
        user: Some(UserId(standing.user_id)),
        data: json!({
            "id": standing.id,
            "user_id": standing.user_id,
            "receiver": standing.receiver,
            "keep_energy": standing.keep_energy,
            "duration_s": standing.duration_s,
            "budget": budget,
            "until": standing.until,
            "reason": code,
        }),
    };
    emit_in_tx(conn, ids, &event, now).await
}
