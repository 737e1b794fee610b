//! `GET /api/pool`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::pool;
use domain::{DomainError, pricing};
use serde::Serialize;
use utoipa::ToSchema;

use super::{OutlookView, UNREAD, outlook, sharing};
use crate::App;
use crate::problem::Problem;
use crate::routes::prices::get::PricesView;

/// What can be bought now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PoolView {
    /// The network that energy is delegated on.
    #[schema(example = "tron")]
    network: String,
    /// Energy that can be sold now, over all wallets.
    #[schema(example = 12_500_000)]
    available_energy: i64,
    /// The largest order that one wallet can deliver now, within the bounds of one order; 0 if none can be.
    #[schema(example = 3_000_000)]
    largest_order_energy: i64,
    /// When the oldest of the figures was read from the chain; null while no wallet takes orders.
    read_at: Option<DateTime<Utc>>,
    /// The next 24 hours, one line for each.
    forecast: Vec<OutlookView>,
    /// The price table in force, and the bounds of one order; null before one was published.
    prices: Option<PricesView>,
}

/// Shows what can be bought now and in the next 24 hours, and what it costs.
///
/// Figures are those of the last reads of the chain, less what was promised since. An order for what is there now may still
/// wait or be refunded: others order too.
#[utoipa::path(get, path = "/api/pool", tag = "prices",
    responses((status = 200, description = "The pool", body = PoolView)))]
pub(crate) async fn get_pool(State(app): State<Arc<App>>) -> Result<Json<PoolView>, Problem> {
    let (rules, now) = (app.rules(), app.clock.now());
    let (policy, network) = (&rules.policy, &rules.policy.network);
    let found = pool::now(&app.pool, network, sharing(&rules.settings), now).await?;
    let market = found.market.unwrap_or(UNREAD);
    let prices = match pricing::current(&app.pool).await {
        Ok((version, bands)) => Some(PricesView::of(policy, &version, &bands)),
        Err(DomainError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let largest =
        pool::order_energy(found.largest_sun, rules.settings.orders.stake_margin_bps, market).min(policy.energy_max);
    Ok(Json(PoolView {
        network: network.clone(),
        available_energy: market.about_energy(found.stock.room_sun),
        largest_order_energy: if largest < policy.energy_min { 0 } else { largest },
        read_at: found.read_at,
        forecast: outlook(&found.stock, market, now),
        prices,
    }))
}
