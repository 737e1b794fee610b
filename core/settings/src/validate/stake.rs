//! Rules about staking supplier wallets: something stays liquid, and no staking is smaller than nodes take.

use kernel::Amount;

use super::Check;
use crate::Settings;

/// Nodes take no stake below 1 TRX.
const LEAST_SUN: i64 = 1_000_000;
/// More TRX than there are.
const MOST_SUN: i64 = 1_000_000_000_000_000_000;
const HOUR_MS: u64 = 3_600_000;

pub(super) fn check(settings: &Settings, check: &mut Check) {
    let stake = &settings.pool.stake;
    let key = |field: &str| format!("pool.stake.{field}");
    let sun = |amount: Amount| amount.minor();
    // one transaction without bandwidth burns less
    check.range(key("reserve"), sun(stake.reserve), LEAST_SUN, MOST_SUN);
    check.range(key("liquid_bps"), stake.liquid_bps, 0, 10_000);
    check.range(key("least"), sun(stake.least), LEAST_SUN, MOST_SUN);
    let per_day = stake.bandwidth_transactions_per_day;
    check.range(key("bandwidth_transactions_per_day"), per_day, 0, 1_000_000);
    check.range(key("warn_transactions"), stake.warn_transactions, 0, 1_000_000);
    check.range(key("wallet_day"), sun(stake.wallet_day), 0, MOST_SUN);
    check.range(key("all_day"), sun(stake.all_day), 0, MOST_SUN);
    check.range(key("max_attempts"), stake.max_attempts, 1, 1_000);
    check.range(key("retry_ms"), stake.retry_ms, 1_000, HOUR_MS);
    check.range(key("failure_pause_s"), stake.failure_pause_s, 0, 2_592_000);
    check.require(
        stake.wallet_day <= stake.all_day,
        key("wallet_day"),
        "is more than all wallets together may",
        "let wallet_day be at most all_day",
    );
    check.require(
        !stake.enabled || stake.least <= stake.wallet_day,
        key("least"),
        "is more than may be staked from a wallet in a day, so nothing would ever be",
        "let least be at most wallet_day, or set enabled = false",
    );
}
