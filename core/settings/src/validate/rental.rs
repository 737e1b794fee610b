//! Rules about energy that is bought by a transfer.

use std::collections::BTreeSet;

use kernel::ApiKeyId;

use super::Check;
use super::ranges::is_address;
use crate::Settings;

/// More packages than anybody could read.
const MOST_PACKAGES: usize = 100;
/// A thousandth of what a balance can hold, as for every deposit.
const LARGEST_SUN: i64 = i64::MAX / 1_000;

pub(super) fn check(settings: &Settings, check: &mut Check) {
    let (orders, deposits) = (&settings.orders, &settings.deposits);
    let rental = &deposits.rental;
    let key = |field: &str| format!("deposits.rental.{field}");
    check.range(key("return_from"), rental.return_from.minor(), 1, LARGEST_SUN);
    if !rental.is_on() {
        return;
    }
    check.require(
        is_address(&rental.address) && rental.address != deposits.shared_address,
        key("address"),
        "is not an address, or the one where amounts tell deposits apart",
        "write an address of its own as T…, or leave it empty",
    );
    check.require(
        orders.network == deposits.network && settings.payouts.network == deposits.network,
        key("address"),
        "is given, and coin comes, energy is delivered and payouts leave on different networks",
        "let orders.network, deposits.network and payouts.network be one, or leave it empty",
    );
    check.require(
        rental.house_user < 0 && rental.house_user != deposits.sweep.house_user,
        key("house_user"),
        "may be a customer's, or is the one that orders for sweeps",
        "give a number below 0 of its own",
    );
    check.require(
        rental.house_api_key.parse::<ApiKeyId>().is_ok(),
        key("house_api_key"),
        "is not the id of an API key",
        "give the id that `switchyard-worker api-key create` prints",
    );
    check.require(
        (1..=MOST_PACKAGES).contains(&rental.packages.len()),
        key("packages"),
        format!("has {} entries", rental.packages.len()),
        format!("name from 1 to {MOST_PACKAGES}, or leave the address empty"),
    );
    let prices: BTreeSet<i64> = rental.packages.iter().map(|package| package.price.minor()).collect();
    check.require(
        prices.len() == rental.packages.len(),
        key("packages"),
        "has two of one price, so that an amount would not say which is meant",
        "give each a price of its own",
    );
    for (n, package) in rental.packages.iter().enumerate() {
        let key = |field: &str| format!("deposits.rental.packages.{n}.{field}");
        check.range(key("price"), package.price.minor(), deposits.dust_trx_sun, LARGEST_SUN);
        check.range(key("energy"), package.energy, orders.energy_min, orders.energy_max);
        let (shortest, longest) = (orders.duration_min_s, orders.duration_max_s);
        check.range(key("duration_s"), package.duration_s, shortest, longest);
    }
}
