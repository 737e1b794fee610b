//! One look at an address that is to be kept, and the order that it may need.
//!
//! What an address has is read from the chain; what is on its way to it, and what we are about to take back, is known here.
//! An order of its own that the read may not show yet counts as there, so that a node that lags makes no order twice.

use chain::EnergyMarket;
use chrono::{DateTime, Duration, Utc};
use db::models::{OrderTerms, StandingOrder, StandingState};
use db::{Conn, Pool, run_tx};
use jobs::Wake;
use kernel::{ApiKeyId, IdGen, OrderId, StandingOrderId, UserId};

use super::{NOT_FOUND, tell_in_tx};
use crate::DomainError;
use crate::api_keys::spend_in_tx;
use crate::events::EventType;
use crate::orders::{OrderPolicy, Purchase, check_orderable, check_ranges, guarded, place_in_tx};
use crate::pricing::price_of;

/// What a read of the address says.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Energy that it can use now.
    pub energy: i64,
    /// The read surely holds every block up to this one.
    pub block: i64,
    /// The network's exchange between stake and energy, as it was read.
    pub market: EnergyMarket,
    /// The chain's clock.
    pub chain_time: DateTime<Utc>,
    /// What ends within this time counts as gone: an order needs a moment, too.
    pub lead: Duration,
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It has what it is to have.
    Enough,
    /// An order was placed.
    Ordered {
        /// Which.
        order: OrderId,
        /// To be pushed after the commit.
        wake: Option<Wake>,
    },
    /// It has too little, and cannot be ordered for now, for this reason.
    Held(&'static str),
    /// It has ended.
    Ended,
}

/// What an address needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// So much energy.
    Energy(i64),
}

/// What is missing of `keep` for an address that can use `has`, of which `ending` is about to go, while `coming` is on its
/// way: no less than an order may be, no more than it may be.
#[must_use]
pub fn need(keep: i64, (has, ending, coming): (i64, i64, i64), bounds: (i64, i64)) -> Need {
    let left = has.saturating_sub(ending).max(0);
    let missing = keep.saturating_sub(left.saturating_add(coming));
    if missing <= 0 {
        Need::Nothing
    } else {
        Need::Energy(missing.max(bounds.0).min(bounds.1))
    }
}

/// Looks at one, and orders for it if it needs that. Of several looks at once one orders: the row lock decides.
///
/// # Errors
/// When the database fails; what stands against an order is [`Kept::Held`].
pub async fn keep(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &OrderPolicy,
    (id, seen): (StandingOrderId, Seen),
    now: DateTime<Utc>,
) -> Result<Kept, DomainError> {
    let order = OrderId::new(ids);
    let placed = run_tx(pool, "keep_energy", async |conn| {
        keep_in_tx(conn, ids, policy, (id, order, seen), now).await
    })
    .await;
    let code = match placed {
        Err(error) => held_by(&error).ok_or(error)?,
        Ok(kept) => return Ok(kept),
    };
    run_tx(pool, "hold_standing_order", async |conn| {
        let standing = StandingOrder::lock(conn, id.0).await?.ok_or(NOT_FOUND)?;
        if standing.state != StandingState::Active {
            return Ok(Kept::Ended);
        }
        StandingOrder::set_seen(conn, id.0, seen.energy, Some(code), now).await?;
        if standing.held_code.as_deref() != Some(code) {
            tell_in_tx(conn, ids, EventType::StandingOrderHeld, (&standing, code), now).await?;
        }
        Ok(Kept::Held(code))
    })
    .await
}

async fn keep_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    policy: &OrderPolicy,
    (id, order, seen): (StandingOrderId, OrderId, Seen),
    now: DateTime<Utc>,
) -> Result<Kept, DomainError> {
    let standing = StandingOrder::lock(conn, id.0).await?.ok_or(NOT_FOUND)?;
    if standing.state != StandingState::Active {
        return Ok(Kept::Ended);
    }
    let until = seen.chain_time + seen.lead;
    let figures = StandingOrder::figures(conn, id.0, seen.block, until).await?;
    let over = if figures.key_revoked {
        Some("api_key_revoked")
    } else if figures.receiver_refused {
        Some("receiver_refused")
    } else {
        (standing.until <= now).then_some("date")
    };
    if let Some(code) = over {
        return end_in_tx(conn, ids, (&standing, code), now).await;
    }
    let bounds = (policy.energy_min, policy.energy_max);
    // more goes with a rental than was sold: its stake has a margin
    let ending = match figures.ending_sun {
        0 => 0,
        sun => seen.market.about_energy(sun).saturating_add(1),
    };
    let has = (seen.energy, ending, figures.unseen_energy);
    let Need::Energy(energy) = need(standing.keep_energy, has, bounds) else {
        StandingOrder::set_seen(conn, id.0, seen.energy, None, now).await?;
        return Ok(Kept::Enough);
    };
    check_ranges(policy, energy, standing.duration_s)?;
    let (key, wanted) = (ApiKeyId(standing.api_key_id), (energy, standing.duration_s));
    let terms = OrderTerms::read_for(conn, Some(key.0), (standing.user_id, &standing.receiver), wanted).await?;
    check_orderable(&terms)?;
    let price = price_of(&terms, energy)?;
    if figures.spent_sun.saturating_add(price.amount.minor()) > standing.budget_sun {
        return end_in_tx(conn, ids, (&standing, "budget"), now).await;
    }
    // its budget is no way around the limit of the key that it was asked for with
    spend_in_tx(conn, (key, terms.daily_limit_sun), price.amount, now).await?;
    let purchase = Purchase {
        id: order,
        user: UserId(standing.user_id),
        api_key: key,
        network: &standing.network,
        receiver: &standing.receiver,
        energy,
        duration_s: standing.duration_s,
        price,
        deadline: policy.deadline,
        actor: &format!("standing_order:{id}"),
    };
    let (_, wake) = place_in_tx(conn, ids, &purchase, now).await?;
    let turn = i32::try_from(figures.orders.saturating_add(1)).unwrap_or(i32::MAX);
    StandingOrder::add_order(conn, id.0, turn, order.0).await?;
    StandingOrder::set_seen(conn, id.0, seen.energy, None, now).await?;
    Ok(Kept::Ordered { order, wake })
}

async fn end_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (standing, code): (&StandingOrder, &str),
    now: DateTime<Utc>,
) -> Result<Kept, DomainError> {
    let ended = StandingOrder::set_ended(conn, standing.id, code, now).await?;
    guarded(ended, "standing order", standing.id)?;
    tell_in_tx(conn, ids, EventType::StandingOrderEnded, (standing, code), now).await?;
    Ok(Kept::Ended)
}

/// What stands against an order now, and may not for ever.
const fn held_by(error: &DomainError) -> Option<&'static str> {
    match error {
        DomainError::InsufficientFunds { .. } => Some("insufficient_funds"),
        DomainError::DailyLimit { .. } => Some("daily_limit"),
        DomainError::UserBlocked => Some("user_blocked"),
        DomainError::Maintenance => Some("maintenance"),
        DomainError::NoPrice => Some("no_price"),
        DomainError::EnergyOutOfRange { .. } => Some("energy_out_of_range"),
        DomainError::DurationOutOfRange { .. } => Some("duration_out_of_range"),
        DomainError::ReceiverIsSupplier => Some("receiver_is_supplier"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_ordered_and_what_is_coming_is_not_ordered_again() {
        let of = |has, coming, ending| need(100, (has, ending, coming), (20, 1_000));
        assert_eq!(of(100, 0, 0), Need::Nothing);
        assert_eq!(of(0, 0, 0), Need::Energy(100));
        assert_eq!(of(95, 0, 0), Need::Energy(20), "no order is smaller");
        assert_eq!(of(0, 100, 0), Need::Nothing, "it is on its way");
        assert_eq!(of(100, 0, 60), Need::Energy(60), "what ends soon counts as gone");
        assert_eq!(of(10, 0, 60), Need::Energy(100), "it was used before it ends");
        assert_eq!(of(i64::MAX, i64::MAX, 0), Need::Nothing);
        assert_eq!(need(5_000, (0, 0, 0), (20, 1_000)), Need::Energy(1_000), "nor larger");
    }
}
