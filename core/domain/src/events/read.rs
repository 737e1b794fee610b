//! Reading what happened, in the order of the transactions that wrote it.
//!
//! Numbers are given to transactions when they begin to write, and they end in any order. What all of below a number wrote can be
//! read once none of below it runs any more: that number is the horizon, and no event ever appears below it afterwards.

use chrono::{DateTime, Utc};
use db::models::{Event, EventFilter, EventPlace};
use db::{Pool, acquire};

use crate::DomainError;

/// Events that one page looks at, about.
const LOOKED_AT: i64 = 5_000;

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// All up to here he has seen, or need not see.
    pub place: EventPlace,
    /// Whether something that he has not seen is gone for good, or his place is none of this database's.
    pub missed: bool,
}

/// Where somebody begins who has read up to `seen`; who has read nothing begins with what happens from now on.
///
/// # Errors
/// When the database cannot be asked.
pub async fn start(pool: &Pool, seen: Option<EventPlace>) -> Result<Start, DomainError> {
    let mut conn = acquire(pool).await?;
    let horizon = Event::horizon(&mut conn).await?;
    let now = EventPlace::before(horizon);
    let Some(seen) = seen else {
        return Ok(Start {
            place: now,
            missed: false,
        });
    };
    if seen > now || Event::gone(&mut conn).await? > seen.xact {
        return Ok(Start {
            place: now,
            missed: true,
        });
    }
    Ok(Start {
        place: seen,
        missed: false,
    })
}

/// Up to where it can be read now, and the number of the last transaction below that which wrote something.
///
/// # Errors
/// When the database cannot be asked.
pub async fn newest(pool: &Pool) -> Result<(i64, i64), DomainError> {
    let mut conn = acquire(pool).await?;
    let horizon = Event::horizon(&mut conn).await?;
    let newest = Event::newest(&mut conn, horizon).await?;
    Ok((horizon, newest.unwrap_or(0)))
}

/// At most `limit` events behind `after` and below `horizon`, in order, and where that leads to.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    pool: &Pool,
    (after, horizon): (EventPlace, i64),
    filter: &EventFilter,
    limit: i64,
) -> Result<(Vec<Event>, EventPlace), DomainError> {
    let mut conn = acquire(pool).await?;
    // what is narrowed to little does not look through everything at once
    let far = Event::ahead(&mut conn, after, LOOKED_AT).await?;
    let horizon = far.map_or(horizon, |far| horizon.min(far.saturating_add(1)));
    let events = Event::page(&mut conn, (after, horizon), filter, limit).await?;
    let full = i64::try_from(events.len()).is_ok_and(|count| count == limit);
    let reached = match events.last() {
        Some(last) if full => last.at(),
        _ => EventPlace::before(horizon).max(after),
    };
    Ok((events, reached))
}

/// Removes at most `limit` events of before `before`; while endpoints are registered, of before `messages` too. Answers how many.
///
/// # Errors
/// When the database fails.
pub async fn prune(
    pool: &Pool,
    (before, messages): (DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> Result<usize, DomainError> {
    db::run_tx(pool, "prune_events", async |conn| {
        // what a message is kept about stays, and is not to be passed over again and again
        let before = if Event::anybody_listens(conn).await? {
            before.min(messages)
        } else {
            before
        };
        Ok(Event::prune(conn, before, limit).await?)
    })
    .await
}
