//! Rules about collecting deposit addresses: what it takes is there, and nothing is spent on little.

use kernel::ApiKeyId;

use super::Check;
use super::ranges::is_address;
use crate::Settings;

const HOUR_MS: u64 = 3_600_000;
/// The chain takes at least this for an account; an address that is given more only keeps it.
const LARGEST_ACTIVATION_SUN: i64 = 10_000_000;
/// Energy is ordered for five minutes, of which its block's finality takes the first.
const LONGEST_EXPIRY_S: u64 = 120;
/// Below this a sweep costs more bandwidth than it brings.
const LEAST_SUN: i64 = 1_000_000;

pub(super) fn check(settings: &Settings, check: &mut Check) {
    let sweep = &settings.deposits.sweep;
    let key = |field: &str| format!("deposits.sweep.{field}");
    check.range(key("trx_threshold"), sweep.trx_threshold.minor(), LEAST_SUN, i64::MAX);
    check.range(key("trx_reserve"), sweep.trx_reserve.minor(), 0, 1_000_000_000_000);
    check.range(key("usdt_threshold"), sweep.usdt_threshold.minor(), LEAST_SUN, i64::MAX);
    check.range(key("activation"), sweep.activation.minor(), 1, LARGEST_ACTIVATION_SUN);
    check.range(key("energy_margin_bps"), sweep.energy_margin_bps, 0, 5_000);
    check.range(key("energy_failures_alarm"), sweep.energy_failures_alarm, 1, 1_000);
    check.range(key("max_open"), sweep.max_open, 1, 10_000);
    check.range(key("retry_ms"), sweep.retry_ms, 1_000, HOUR_MS);
    check.range(key("retry_max_ms"), sweep.retry_max_ms, sweep.retry_ms, 24 * HOUR_MS);
    check.require(
        sweep.to_address.is_empty() || is_address(&sweep.to_address),
        key("to_address"),
        "is not an address",
        "write it as T…, or leave it empty",
    );
    if !sweep.enabled {
        return;
    }
    check.require(
        !settings.deposits.account_xpub.is_empty(),
        key("enabled"),
        "is true, and there is no account whose addresses could be collected",
        "give deposits.account_xpub, and the account's key by `switchyard-worker deposit-key`",
    );
    // else whoever may add a wallet says where customers' money goes
    check.require(
        !check.production || !sweep.to_address.is_empty(),
        key("to_address"),
        "is empty, so that a treasury wallet that is added later may get what is collected",
        "name the treasury wallet that gets it, as T…; in the environments dev and test it may be empty",
    );
    if sweep.usdt {
        usdt(settings, check);
    }
}

/// A token is collected by energy of our own, which somebody has to order.
fn usdt(settings: &Settings, check: &mut Check) {
    let sweep = &settings.deposits.sweep;
    let key = |field: &str| format!("deposits.sweep.{field}");
    let network = &settings.deposits.network;
    check.require(
        settings
            .networks
            .get(network)
            .is_some_and(|found| found.tokens.contains_key("usdt")),
        key("usdt"),
        format!("is true, and networks.{network}.tokens does not name its contract"),
        "name it, or set usdt = false",
    );
    check.require(
        settings.orders.network == *network,
        key("usdt"),
        "is true, and energy is delivered on another network than customers pay on",
        "let orders.network and deposits.network be one, or set usdt = false",
    );
    check.require(
        sweep.house_user < 0,
        key("house_user"),
        "may be a customer's, whose orders these would be",
        "give a number below 0",
    );
    check.require(
        sweep.house_api_key.parse::<ApiKeyId>().is_ok(),
        key("house_api_key"),
        "is not the id of an API key",
        "give the id that `switchyard-worker api-key create` prints",
    );
    let expiry_s = settings
        .networks
        .get(network)
        .map_or(0, |found| found.transaction_expiry_s);
    check.require(
        expiry_s <= LONGEST_EXPIRY_S,
        format!("networks.{network}.transaction_expiry_s"),
        "is longer than the energy that a sweep needs is there",
        format!("use at most {LONGEST_EXPIRY_S}, or set deposits.sweep.usdt = false"),
    );
    check.require(
        settings.orders.duration_max_s >= 300,
        "orders.duration_max_s",
        "is too short for the energy that a sweep needs",
        "use at least 300",
    );
}
