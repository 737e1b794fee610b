//! `GET /api/prices`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use db::models::{PriceBand, PriceVersion};
use domain::orders::OrderPolicy;
use domain::pricing::current;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::problem::Problem;

/// The price table in force, and the bounds of one order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PricesView {
    /// The table's id.
    version: Uuid,
    /// Since when it counts.
    published_at: DateTime<Utc>,
    /// Bounds are inclusive; no two bands overlap.
    bands: Vec<BandView>,
    energy_min: i64,
    energy_max: i64,
    duration_min_s: i32,
    duration_max_s: i32,
}

/// One line of the price table.
#[derive(Debug, Serialize, ToSchema)]
struct BandView {
    energy_min: i64,
    energy_max: i64,
    duration_min_s: i32,
    duration_max_s: i32,
    /// Thousandths of a sun for one unit of energy over the whole rental. An order costs energy × this / 1000 sun,
    /// rounded up; 1 TRX is 1,000,000 sun.
    #[schema(example = 50_000)]
    price_millisun_per_energy: i64,
}

/// Shows the price table in force.
#[utoipa::path(get, path = "/api/prices", tag = "prices",
    responses((status = 200, description = "The table", body = PricesView)))]
pub(crate) async fn get_prices(State(app): State<Arc<App>>) -> Result<Json<PricesView>, Problem> {
    let (version, bands) = current(&app.pool).await?;
    Ok(Json(PricesView::of(&app.rules().policy, &version, &bands)))
}

impl PricesView {
    /// A table, with the bounds that are configured.
    pub(crate) fn of(bounds: &OrderPolicy, version: &PriceVersion, bands: &[PriceBand]) -> Self {
        Self {
            version: version.id,
            published_at: version.published_at,
            bands: bands.iter().map(BandView::of).collect(),
            energy_min: bounds.energy_min,
            energy_max: bounds.energy_max,
            duration_min_s: bounds.duration_min_s,
            duration_max_s: bounds.duration_max_s,
        }
    }
}

impl BandView {
    const fn of(band: &PriceBand) -> Self {
        Self {
            energy_min: band.energy_min,
            energy_max: band.energy_max,
            duration_min_s: band.duration_min_s,
            duration_max_s: band.duration_max_s,
            price_millisun_per_energy: band.price_millisun_per_energy,
        }
    }
}
