//! Switches that operators throw while everything runs.

use chrono::{DateTime, Utc};
use db::models::Switch;
use db::{Pool, acquire, run_tx, trail};
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
    if !SWITCHES.contains(&name) {
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
