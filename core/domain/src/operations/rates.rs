//! A rate by hand: set for a time and for a reason, and taken back.

use chrono::{DateTime, Duration, Utc};
use db::models::{Action, Rate, RateKind};
use db::{Pool, run_tx};
use kernel::{Amount, IdGen};
use serde_json::{Value, json};

use super::{Command, Done, Instruction};
use crate::DomainError;
use crate::findings::{self, FindingKind};
use crate::rates::{RatePolicy, SUBJECT, in_force, wake_pending_in_tx};

/// The shortest and the longest time that a rate by hand is used.
const LASTS: std::ops::RangeInclusive<Duration> = Duration::minutes(1)..=Duration::days(7);

/// A rate that an operator sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManualRate {
    /// Sun for a USDT.
    pub sun_per_usdt: i64,
    /// How long it is used.
    pub lasts: Duration,
    /// Whether it may be outside of the band.
    pub beyond_band: bool,
}

/// Sets the rate: whatever the market says, it is used until it ends, until another is set, or until it is taken back.
///
/// # Errors
/// [`DomainError::RateBeyondBand`] where it is and was not meant to be; a time that is too short or too long; a reason that is
/// missing. Nothing is written then.
pub async fn set_rate(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &RatePolicy,
    (instruction, rate): (&Instruction, &ManualRate),
    now: DateTime<Utc>,
) -> Result<Done, DomainError> {
    let ManualRate { sun_per_usdt, .. } = *rate;
    let filter = json!({
        "sun_per_usdt": sun_per_usdt, "lasts_s": rate.lasts.num_seconds(), "beyond_band": rate.beyond_band,
    });
    let command = Command::new(ids, Action::RatesSet, instruction, filter, now)?;
    check(policy, rate)?;
    let row = Rate {
        id: ids.uuid(),
        at: now,
        kind: RateKind::Manual,
        sun_per_usdt: Some(sun_per_usdt),
        refused_as: None,
        answers: Value::Array(Vec::new()),
        ends_at: Some(now + rate.lasts),
        actor: Some(instruction.actor.clone()),
        note: instruction.reason.clone(),
    };
    run_tx(pool, "set_rate", async |conn| {
        if instruction.dry_run {
            return Ok(Done::counted(1));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok(done);
        }
        row.insert(conn).await?;
        findings::clear_in_tx(conn, FindingKind::RatesStale, SUBJECT, now).await?;
        let wakes = wake_pending_in_tx(conn, true, now).await?;
        let objects = vec![json!({ "kind": "rate", "object_id": row.id, "sun_per_usdt": sun_per_usdt })];
        command.done_in_tx(conn, 1, objects, wakes).await
    })
    .await
}

fn check(policy: &RatePolicy, rate: &ManualRate) -> Result<(), DomainError> {
    if !LASTS.contains(&rate.lasts) {
        return Err(DomainError::BadText("a rate by hand is used for a minute to 7 days"));
    }
    let within = (policy.lowest..=policy.highest).contains(&rate.sun_per_usdt);
    if rate.sun_per_usdt <= 0 || !(within || rate.beyond_band) {
        let amount = |sun| Amount::from_minor(sun).unwrap_or_default();
        return Err(DomainError::RateBeyondBand {
            lowest: amount(policy.lowest),
            highest: amount(policy.highest),
        });
    }
    Ok(())
}

/// Takes a rate that was set by hand back: from now on the market counts again.
///
/// # Errors
/// A reason that is missing, or a database failure.
pub async fn clear_rate(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    now: DateTime<Utc>,
) -> Result<Done, DomainError> {
    let command = Command::new(ids, Action::RatesClear, instruction, json!({}), now)?;
    let row = Rate {
        id: ids.uuid(),
        at: now,
        kind: RateKind::Cleared,
        sun_per_usdt: None,
        refused_as: None,
        answers: Value::Array(Vec::new()),
        ends_at: None,
        actor: Some(instruction.actor.clone()),
        note: instruction.reason.clone(),
    };
    run_tx(pool, "clear_rate", async |conn| {
        let last = Rate::last_by_hand(conn).await?;
        let taken: Vec<Value> = last.filter(|rate| in_force(rate, now)).iter().map(as_it_was).collect();
        let matched = i64::try_from(taken.len()).unwrap_or(i64::MAX);
        if instruction.dry_run {
            return Ok(Done::counted(matched));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok(done);
        }
        if matched > 0 {
            row.insert(conn).await?;
        }
        command.done_in_tx(conn, matched, taken, Vec::new()).await
    })
    .await
}

fn as_it_was(rate: &Rate) -> Value {
    json!({
        "kind": "rate", "object_id": rate.id, "sun_per_usdt": rate.sun_per_usdt, "ends_at": rate.ends_at,
        "actor": rate.actor, "note": rate.note,
    })
}
