//! The pool: what can be bought now, and in the next hours.

pub(crate) mod get;

use chain::EnergyMarket;
use chrono::{DateTime, Duration, Utc};
use domain::pool::{Sharing, Stock, forecast};
use serde::Serialize;
use settings::Settings;
use utoipa::ToSchema;

/// What can be sold at an hour if nothing is sold until then. Used energy recovers over a day, and nobody knows how much
/// of what is rented comes back used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutlookView {
    at: DateTime<Utc>,
    /// If customers use all of what they rented.
    energy_at_least: i64,
    /// If they use none of it.
    energy_at_most: i64,
}

/// The next 24 hours.
pub(crate) fn outlook(stock: &Stock, market: EnergyMarket, now: DateTime<Utc>) -> Vec<OutlookView> {
    let view = |outlook: domain::pool::Outlook| OutlookView {
        at: now + Duration::hours(outlook.hour),
        energy_at_least: market.about_energy(outlook.at_least_sun),
        energy_at_most: market.about_energy(outlook.at_most_sun),
    };
    forecast(stock).into_iter().map(view).collect()
}

/// A network of which nothing is known yet gives no energy.
pub(crate) const UNREAD: EnergyMarket = EnergyMarket {
    total_limit: 0,
    total_weight: 0,
};

/// By what rules orders find their wallets.
pub(crate) const fn sharing(settings: &Settings) -> Sharing {
    Sharing {
        bandwidth: settings.pool.min_bandwidth,
        max_parts: settings.orders.max_parts,
        part_energy_min: settings.orders.part_energy_min,
    }
}
