//! What a sweep does next. Pure: the same facts always give the same step.
//!
//! Coin: everything but the reserve is sent, for bandwidth that is there for nothing; without it the sweep waits, unless the
//! settings allow to burn. It is given up only where the chain has less than the threshold: what it was planned for then counts
//! as collected, but for what lies there.
//!
//! A token: the address must exist, and have energy from an order of ours whose delegation is final, for longer than the
//! transaction lives. Its fee limit is worth no more energy than is there, so that nothing can be burned for it: nodes hold a
//! call to what its limit pays, lent energy included.

/// How sweeps are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepRules {
    /// What a sweep of coin must bring, in sun.
    pub trx_threshold_sun: i64,
    /// What a sweep of USDT must bring, in micro-USDT.
    pub usdt_threshold_micro: i64,
    /// Coin that stays at the address.
    pub reserve_sun: i64,
    /// Whether coin may be burned where bandwidth is short.
    pub burn_bandwidth: bool,
    /// Energy ordered on top of what the call takes, in 1/100 %.
    pub energy_margin_bps: u32,
    /// Least energy of one order.
    pub energy_min: i64,
}

/// What an address has, by one read of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// In minor units of the asset that is collected.
    pub minor: i64,
    /// Bandwidth for one more transaction.
    pub bandwidth: i64,
}

/// What is known beside it when a token is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenFacts {
    /// Energy that the address has.
    pub energy_available: i64,
    /// What the call takes.
    pub energy_needed: i64,
    /// What a unit of it costs, in sun.
    pub energy_price_sun: i64,
    /// Whether an order of ours has brought energy that is there for long enough.
    pub rented: bool,
}

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepStep {
    /// There is not enough to collect.
    Cancel(&'static str),
    /// Not now, for this reason.
    Wait(&'static str),
    /// So much energy is ordered.
    Rent {
        /// Units.
        energy: i64,
    },
    /// So much is sent.
    Send {
        /// Minor units.
        amount: i64,
        /// What the call may burn, in sun; 0 for coin.
        fee_limit_sun: i64,
    },
}

/// Less than the threshold is there.
pub(crate) const BELOW_THRESHOLD: &str = "below_threshold";
/// All that is there is to stay there.
pub(crate) const RESERVE_ONLY: &str = "reserve_only";
/// The chain would burn coin for bandwidth.
pub(crate) const BANDWIDTH_SHORT: &str = "bandwidth_short";

/// Bandwidth points of a transfer of coin, its signature included, with room for longer numbers.
const COIN_BANDWIDTH: i64 = 300;
/// The same of a transfer of a token.
const TOKEN_BANDWIDTH: i64 = 400;
/// What a point of bandwidth costs whoever has none, in sun.
const BANDWIDTH_PRICE_SUN: i64 = 1_000;

/// The next step of a sweep of coin.
#[must_use]
pub const fn decide_coin(holding: Holding, rules: &SweepRules) -> SweepStep {
    let short = holding.bandwidth < COIN_BANDWIDTH;
    let burned = COIN_BANDWIDTH.saturating_mul(BANDWIDTH_PRICE_SUN);
    let stays = if short && burned > rules.reserve_sun {
        burned
    } else {
        rules.reserve_sun
    };
    let amount = holding.minor.saturating_sub(stays);
    if holding.minor <= 0 || holding.minor < rules.trx_threshold_sun {
        return SweepStep::Cancel(BELOW_THRESHOLD);
    }
    if short && !rules.burn_bandwidth {
        return SweepStep::Wait(BANDWIDTH_SHORT);
    }
    if amount <= 0 {
        return SweepStep::Wait(RESERVE_ONLY);
    }
    SweepStep::Send {
        amount,
        fee_limit_sun: 0,
    }
}

/// What stays for certain where so much coin is sent.
#[must_use]
pub const fn left_of_coin(holding: Holding, amount: i64) -> i64 {
    let burned = if holding.bandwidth < COIN_BANDWIDTH {
        COIN_BANDWIDTH.saturating_mul(BANDWIDTH_PRICE_SUN)
    } else {
        0
    };
    let left = holding.minor.saturating_sub(amount).saturating_sub(burned);
    if left > 0 { left } else { 0 }
}

/// The energy to order for a call that takes so much.
#[must_use]
pub fn energy_wanted(energy_needed: i64, rules: &SweepRules) -> i64 {
    let share = energy_needed.saturating_mul(i64::from(rules.energy_margin_bps));
    let on_top = share.saturating_add(9_999) / 10_000;
    energy_needed.saturating_add(on_top).max(rules.energy_min)
}

/// The next step of a sweep of a token, at an address that exists.
#[must_use]
pub fn decide_token(holding: Holding, facts: &TokenFacts, rules: &SweepRules) -> SweepStep {
    if holding.minor <= 0 || holding.minor < rules.usdt_threshold_micro {
        return SweepStep::Cancel(BELOW_THRESHOLD);
    }
    if holding.bandwidth < TOKEN_BANDWIDTH {
        return SweepStep::Wait(BANDWIDTH_SHORT);
    }
    let wanted = energy_wanted(facts.energy_needed, rules);
    if !facts.rented {
        return SweepStep::Rent { energy: wanted };
    }
    // what was lent may be worth a little less by now, or another has used some of it
    if facts.energy_available < facts.energy_needed {
        return SweepStep::Wait("energy_short");
    }
    SweepStep::Send {
        amount: holding.minor,
        fee_limit_sun: wanted
            .min(facts.energy_available)
            .saturating_mul(facts.energy_price_sun),
    }
}

#[cfg(test)]
mod tests;
