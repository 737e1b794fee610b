//! The rate in use, or why there is none.

use chrono::{DateTime, Utc};
use db::models::{Rate, RateKind, RateRefusal};
use db::{Conn, Pool, acquire};
use kernel::Amount;
use uuid::Uuid;

use super::RatePolicy;
use super::convert::{Conversion, NotConverted, convert, net};
use crate::DomainError;

/// A rate that an exchange may be done at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HouseRate {
    /// Its row.
    pub id: Uuid,
    /// When it was asked for or set.
    pub at: DateTime<Utc>,
    /// Out of a round of answers, or set by an operator.
    pub kind: RateKind,
    /// Sun for a USDT.
    pub sun_per_usdt: i64,
    /// What the house keeps, in 1/100 %.
    pub fee_bp: i32,
    /// What is left to the user: sun for a USDT.
    pub net_sun_per_usdt: i64,
    /// Until when an operator's is used.
    pub ends_at: Option<DateTime<Utc>>,
}

/// Why nothing is exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRate {
    /// No round was answered by enough sources lately.
    Stale,
    /// The newest one was refused.
    Refused(RateRefusal),
}

impl NoRate {
    /// In a word: `stale`, or why the round was refused.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Refused(refusal) => refusal.word(),
        }
    }
}

impl HouseRate {
    /// What this rate makes of USDT.
    ///
    /// # Errors
    /// [`NotConverted`] where that is less than a sun, or more than can be held.
    pub fn convert(&self, usdt: Amount) -> Result<Conversion, NotConverted> {
        convert(usdt, self.net_sun_per_usdt)
    }

    fn of(row: &Rate, policy: &RatePolicy) -> Result<Self, DomainError> {
        let broken = || DomainError::Broken(format!("rate {} is none", row.id));
        let sun_per_usdt = row.sun_per_usdt.ok_or_else(broken)?;
        Ok(Self {
            id: row.id,
            at: row.at,
            kind: row.kind,
            sun_per_usdt,
            fee_bp: i32::try_from(policy.fee_bp).map_err(|_| broken())?,
            net_sun_per_usdt: net(sun_per_usdt, policy.fee_bp),
            ends_at: row.ends_at,
        })
    }
}

/// The rate in use, as of this statement.
///
/// # Errors
/// When the database cannot be asked.
pub async fn current_in_tx(
    conn: &mut Conn,
    policy: &RatePolicy,
    now: DateTime<Utc>,
) -> Result<Result<HouseRate, NoRate>, DomainError> {
    let by_hand = Rate::last_by_hand(conn).await?;
    if let Some(manual) = by_hand.filter(|rate| in_force(rate, now)) {
        return HouseRate::of(&manual, policy).map(Ok);
    }
    let Some(round) = Rate::last_answered(conn, now - policy.stale_after).await? else {
        return Ok(Err(NoRate::Stale));
    };
    match round.refused_as {
        Some(refusal) => Ok(Err(NoRate::Refused(refusal))),
        None => HouseRate::of(&round, policy).map(Ok),
    }
}

/// Whether this is an operator's rate that has not ended.
pub(crate) fn in_force(rate: &Rate, now: DateTime<Utc>) -> bool {
    rate.kind == RateKind::Manual && rate.ends_at.is_some_and(|ends| ends > now)
}

/// [`current_in_tx`], outside of any transaction.
///
/// # Errors
/// When the database cannot be asked.
pub async fn current(
    pool: &Pool,
    policy: &RatePolicy,
    now: DateTime<Utc>,
) -> Result<Result<HouseRate, NoRate>, DomainError> {
    current_in_tx(&mut *acquire(pool).await?, policy, now).await
}

/// What is known of the rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// The one in use.
    pub current: Result<HouseRate, NoRate>,
    /// The newest accepted round.
    pub accepted: Option<Rate>,
    /// The newest round.
    pub round: Option<Rate>,
}

/// The rate in use, and the rounds that it is or is not made of.
///
/// # Errors
/// When the database cannot be asked.
pub async fn overview(pool: &Pool, policy: &RatePolicy, now: DateTime<Utc>) -> Result<Overview, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(Overview {
        current: current_in_tx(&mut conn, policy, now).await?,
        accepted: Rate::last_accepted(&mut conn).await?,
        round: Rate::last_round(&mut conn).await?,
    })
}
