//! Stake and energy, computed exactly as nodes do, roundings of IEEE doubles included.
//!
//! Floats are here because the protocol's own formulas are in doubles: an integer formula would differ by a unit now and then.
//! No other file may use them, and nothing here is money that moves: sun of *stake*, and energy.
#![expect(
    clippy::float_arithmetic,
    reason = "nodes compute these figures in doubles, and their results are what counts"
)]

#[cfg(test)]
mod tests;

use chain::EnergyMarket;

use crate::TronError;

/// Sun in one TRX; also the least stake that can be delegated.
const TRX: i64 = 1_000_000;

/// Sub-units in which nodes average usage over a window.
const PRECISION: i128 = 1_000_000;

/// Basis points in one.
const BPS: i128 = 10_000;

/// Energy that a stake of `sun` gives now: `trunc((sun / 10^6) × (limit / weight))`. Zero on a network where nobody stakes.
#[must_use]
pub fn energy_for_sun(sun: i64, market: EnergyMarket) -> i64 {
    if market.total_weight <= 0 {
        return 0;
    }
    truncated((double(sun) / double(TRX)) * (double(market.total_limit) / double(market.total_weight)))
}

/// The smallest stake that gives at least `energy` now.
///
/// # Errors
/// [`TronError::EnergyRange`] where no stake would.
pub fn sun_for_energy(energy: i64, market: EnergyMarket) -> Result<i64, TronError> {
    if energy <= 0 {
        return Ok(0);
    }
    // The formula never falls as the stake grows, so the border can be searched by halving.
    let (mut below, mut enough) = (0_i64, i64::MAX);
    if energy_for_sun(enough, market) < energy {
        return Err(TronError::EnergyRange("no stake gives that much energy"));
    }
    while enough - below > 1 {
        let middle = below + (enough - below) / 2;
        if energy_for_sun(middle, market) >= energy {
            enough = middle;
        } else {
            below = middle;
        }
    }
    Ok(enough)
}

/// [`sun_for_energy`] plus a margin in basis points, rounded up to whole sun, and at least the 1 TRX that nodes ask for.
/// The margin covers the drift of the network's ratio while the energy is lent.
///
/// # Errors
/// [`TronError::EnergyRange`] for amounts beyond 64 bits.
pub fn sun_for_energy_with_margin(energy: i64, margin_bps: u32, market: EnergyMarket) -> Result<i64, TronError> {
    let exact = i128::from(sun_for_energy(energy, market)?);
    let with_margin = div_ceil(exact * (BPS + i128::from(margin_bps)), BPS);
    let sun = i64::try_from(with_margin).map_err(|_| TronError::EnergyRange("stake beyond 64 bits"))?;
    Ok(sun.max(TRX))
}

/// Stake that `energy_used` occupies: `trunc(used × 10^6 × (weight / limit))`.
#[must_use]
pub fn usage_sun(energy_used: i64, market: EnergyMarket) -> i64 {
    if market.total_limit <= 0 {
        return 0;
    }
    truncated(double(energy_used.saturating_mul(TRX)) * (double(market.total_weight) / double(market.total_limit)))
}

/// An account's stake for energy and what it has used of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnergyStake {
    /// Own stake that is not delegated out, in sun.
    pub own_sun: i64,
    /// Stake lent to it by others (and own stake of the old kind), in sun: usage eats this first.
    pub acquired_sun: i64,
    /// Energy used and not yet recovered.
    pub energy_used: i64,
}

/// Stake that the account can delegate now; zero where it would be less than 1 TRX.
#[must_use]
pub fn delegatable_sun(stake: EnergyStake, market: EnergyMarket) -> i64 {
    let occupied = usage_sun(stake.energy_used, market)
        .saturating_sub(stake.acquired_sun)
        .max(0);
    let free = stake.own_sun.saturating_sub(occupied);
    if free < TRX { 0 } else { free }
}

/// Energy used by an account, which recovers linearly over a window of 3-second slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// How much.
    pub energy: i64,
    /// The slot when that was so.
    pub at_slot: i64,
    /// Slots until nothing is left of it; 28,800 (a day) at a fresh use.
    pub window_slots: i64,
}

impl Usage {
    /// What is left of it at `now_slot`.
    #[must_use]
    pub fn left_at(self, now_slot: i64) -> i64 {
        let window = i128::from(self.window_slots);
        if window <= 0 {
            return 0;
        }
        let mut average = div_ceil(i128::from(self.energy) * PRECISION, window);
        if now_slot != self.at_slot {
            let elapsed = now_slot - self.at_slot;
            let remaining = (self.window_slots - elapsed).max(0);
            let decay = double(remaining) / double(self.window_slots);
            average = rounded(wide_double(average) * decay);
        }
        i64::try_from(average * window / PRECISION).unwrap_or(i64::MAX)
    }
}

/// One taking back of lent stake, as far as usage is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undelegation {
    /// Stake taken back, in sun.
    pub sun: i64,
    /// What the receiver has used and not recovered.
    pub receiver_used: i64,
    /// All the stake that the receiver had the use of just before, in sun.
    pub receiver_all_sun: i64,
}

/// Usage that moves from the receiver to the lender when stake is taken back.
#[must_use]
pub fn returned_usage(undelegation: Undelegation, market: EnergyMarket) -> i64 {
    if undelegation.receiver_all_sun <= 0 {
        return 0;
    }
    let share = double(undelegation.sun) / double(undelegation.receiver_all_sun);
    let by_share = truncated(double(undelegation.receiver_used) * share);
    energy_for_sun(undelegation.sun, market).min(by_share)
}

const fn double(value: i64) -> f64 {
    value as f64
}

const fn wide_double(value: i128) -> f64 {
    value as f64
}

/// Java's cast to `long`: towards zero, saturating.
const fn truncated(value: f64) -> i64 {
    value as i64
}

/// Java's `Math.round` for numbers that are not negative.
fn rounded(value: f64) -> i128 {
    i128::from(value.round() as i64)
}

/// Division rounded up, for a numerator that is not negative and a positive denominator.
const fn div_ceil(numerator: i128, denominator: i128) -> i128 {
    (numerator + denominator - 1) / denominator
}
