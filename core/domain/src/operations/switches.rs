//! Switches that operators throw while everything runs.

use chrono::{DateTime, Utc};
use db::models::Switch;
use db::{Pool, acquire, run_tx, trail};
use jobs::Queue;
use serde_json::json;

use super::is_reason;
use crate::DomainError;

/// The switches that there are. On, each stops something.
pub const SWITCHES: [&str; 3] = [Switch::MAINTENANCE, Switch::PAYOUTS, Switch::SWEEPS];

/// Each switch; one that was never thrown is off, and by nobody.
///
/// # Errors
/// When the database cannot be asked.
pub async fn switches(pool: &Pool) -> Result<Vec<(&'static str, Option<Switch>)>, DomainError> {
    let mut conn = acquire(pool).await?;
    let thrown = Switch::list(&mut conn).await?;
    let of = |name: &str| thrown.iter().find(|switch| switch.name == name).cloned();
    Ok(SWITCHES.into_iter().map(|name| (name, of(name))).collect())
}

/// The queues that are paused, each with who paused it and why.
///
/// # Errors
/// When the database cannot be asked.
pub async fn paused_queues(pool: &Pool) -> Result<Vec<(Queue, Switch)>, DomainError> {
    let mut conn = acquire(pool).await?;
    let thrown = Switch::list(&mut conn).await?;
    let of = |queue: Queue| thrown.iter().find(|switch| switch.name == queue.pause_switch());
    let paused = Queue::ALL
        .iter()
        .copied()
        .filter_map(|queue| Some((queue, of(queue)?.clone())));
    Ok(paused.filter(|(_, switch)| switch.enabled).collect())
}

/// Pauses a queue, or lets it go on: none of its jobs begins meanwhile, those that run go on, and all that is asked for waits.
///
/// # Errors
/// [`DomainError::BadReason`], or a database failure.
pub async fn pause_queue(
    pool: &Pool,
    queue: Queue,
    how: (bool, &str),
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Switch, DomainError> {
    throw_switch(pool, &queue.pause_switch(), how, actor, now).await
}

/// Throws a switch. It holds from the next order, payout or sweep on; what runs goes on.
///
/// # Errors
/// [`DomainError::NotFound`] for a switch that there is not, [`DomainError::BadReason`].
pub async fn throw_switch(
    pool: &Pool,
    name: &str,
    (enabled, reason): (bool, &str),
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Switch, DomainError> {
    let of_queue = || Queue::ALL.iter().any(|queue| queue.pause_switch() == name);
    if !SWITCHES.contains(&name) && !of_queue() {
        return Err(DomainError::NotFound("switch"));
    }
    if !is_reason(reason) {
        return Err(DomainError::BadReason);
    }
    let switch = Switch {
        name: name.to_owned(),
        enabled,
        reason: reason.to_owned(),
        actor: actor.to_owned(),
        updated_at: now,
    };
    run_tx(pool, "throw_switch", async |conn| {
        let was = Switch::is_on(conn, name).await?;
        trail::changed(|| json!({ "switch": name, "before": was, "after": enabled, "reason": reason }));
        switch.throw(conn).await?;
        Ok::<_, DomainError>(())
    })
    .await?;
    Ok(switch)
}
