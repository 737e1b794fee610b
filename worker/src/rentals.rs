//! What is sold by transfer, out of the settings.

use anyhow::Context;
use chrono::Duration;
use domain::payouts::AssetLimits;
use domain::rentals::{Package, RentalPolicy};
use domain::sweeps::House;
use kernel::UserId;
use settings::Settings;

/// What is sold by transfer; `None` where nothing is.
///
/// # Errors
/// When a number does not fit, or an id is none.
pub fn policy(settings: &Settings) -> anyhow::Result<Option<RentalPolicy>> {
    let (rental, limits) = (&settings.deposits.rental, &settings.payouts.trx);
    if !rental.is_on() {
        return Ok(None);
    }
    let packages = rental.packages.iter().map(|package| {
        Ok(Package {
            price: package.price,
            energy: package.energy,
            duration_s: i32::try_from(package.duration_s)?,
        })
    });
    Ok(Some(RentalPolicy {
        network: settings.deposits.network.clone(),
        address: rental.address.clone(),
        house: House {
            user: UserId(rental.house_user),
            api_key: rental.house_api_key.parse().context("deposits.rental.house_api_key")?,
        },
        packages: packages.collect::<anyhow::Result<_>>()?,
        order_deadline: Duration::seconds(settings.orders.deadline_s),
        return_from: rental.return_from,
        limits: AssetLimits {
            minimum: limits.minimum,
            user_day: limits.user_day,
            system_hour: limits.system_hour,
            approval_above: limits.approval_above,
        },
    }))
}
