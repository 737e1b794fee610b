//! `GET /api/rates`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use db::models::RateKind;
use domain::rates::{HouseRate, NoRate, overview};
use kernel::Amount;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::problem::Problem;
use crate::routes::trx;

/// The rate in use, or why there is none.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RatesView {
    /// Null: nothing is exchanged now.
    rate: Option<RateView>,
    /// Why there is none: `stale` (the sources did not answer lately), or why the newest answers are not believed: `band`,
    /// `spread` or `step`.
    #[schema(example = "stale")]
    none_because: Option<&'static str>,
    /// A rate of the market that is older is not used.
    stale_after_s: u64,
    /// When the newest rate of the market that was accepted was asked for.
    last_accepted_at: Option<DateTime<Utc>>,
}

/// A rate.
#[derive(Debug, Serialize, ToSchema)]
struct RateView {
    id: Uuid,
    /// `market`: out of the answers of several exchanges. `manual`: set by an operator.
    #[schema(value_type = String, example = "market")]
    source: RateKind,
    /// TRX for one USDT.
    #[schema(value_type = String, example = "3.519887")]
    rate: Amount,
    /// What the house keeps, in 1/100 %.
    fee_bp: i32,
    /// What is left: an exchange gives the USDT times this, rounded down to a sun.
    #[schema(value_type = String, example = "3.519887")]
    net_rate: Amount,
    /// When it was asked for, or set.
    at: DateTime<Utc>,
    /// How old it is.
    age_s: i64,
    /// Until when a manual one is used.
    ends_at: Option<DateTime<Utc>>,
}

/// Shows the rate that USDT is exchanged to TRX at now.
#[utoipa::path(get, path = "/api/rates", tag = "exchanges",
    responses((status = 200, description = "The rate, or that there is none", body = RatesView)))]
pub(crate) async fn get_rates(State(app): State<Arc<App>>) -> Result<Json<RatesView>, Problem> {
    let now = app.clock.now();
    let found = overview(&app.pool, &app.rules().rates, now).await?;
    let rate = found.current.as_ref().ok().map(|rate| view(rate, now)).transpose()?;
    Ok(Json(RatesView {
        rate,
        none_because: found.current.err().map(NoRate::word),
        stale_after_s: app.settings.rates.stale_after_s,
        last_accepted_at: found.accepted.map(|rate| rate.at),
    }))
}

fn view(rate: &HouseRate, now: DateTime<Utc>) -> Result<RateView, Problem> {
    Ok(RateView {
        id: rate.id,
        source: rate.kind,
        rate: trx(rate.sun_per_usdt)?,
        fee_bp: rate.fee_bp,
        net_rate: trx(rate.net_sun_per_usdt)?,
        at: rate.at,
        age_s: (now - rate.at).num_seconds().max(0),
        ends_at: rate.ends_at,
    })
}
