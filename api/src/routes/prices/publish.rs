//! `POST /api/prices`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use db::models::PreviewRow;
use domain::operations::{Wanted, publish_prices as publish};
use domain::pricing::{Band, preview};
use kernel::{Amount, PriceVersionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::{Code, Problem};
use crate::routes::approvals::{WaitingView, wait};
use crate::routes::operations::{answer, instruction};
use crate::routes::trx;

/// What fits a body; larger tables are published by command.
pub(crate) const BANDS_MAX: usize = 200;

/// A price table to publish.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishPrices {
    /// 1 to 200 lines; no two may overlap.
    bands: Vec<BandDraft>,
    /// Why: 1 to 500 characters, kept for good.
    #[schema(example = "energy is cheaper since the unfreeze")]
    reason: String,
    /// Only say what the orders of a day would have brought in; nothing is published.
    #[serde(default)]
    dry_run: bool,
    /// Of which UTC day, for that; yesterday where not given.
    #[schema(value_type = Option<String>, format = Date, example = "2027-01-14")]
    day: Option<NaiveDate>,
}

/// One line of it. Bounds are inclusive.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BandDraft {
    #[schema(example = 1)]
    energy_min: i64,
    #[schema(example = 10_000_000)]
    energy_max: i64,
    /// Seconds.
    #[schema(example = 60)]
    duration_min_s: i32,
    /// Seconds.
    #[schema(example = 259_200)]
    duration_max_s: i32,
    /// Thousandths of a sun for one unit of energy over the whole rental.
    #[schema(example = 50_000)]
    price_millisun_per_energy: i64,
}

impl From<&BandDraft> for Band {
    fn from(of: &BandDraft) -> Self {
        Self {
            energy_min: of.energy_min,
            energy_max: of.energy_max,
            duration_min_s: of.duration_min_s,
            duration_max_s: of.duration_max_s,
            price_millisun_per_energy: of.price_millisun_per_energy,
        }
    }
}

/// What was published.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublishedView {
    /// The table's id.
    #[schema(value_type = uuid::Uuid)]
    version: PriceVersionId,
}

/// What a day's orders would have brought in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewView {
    #[schema(value_type = String, format = Date, example = "2027-01-14")]
    day: NaiveDate,
    /// Orders of customers that were not given back.
    orders: i64,
    #[schema(value_type = String, example = "812.250000")]
    was: Amount,
    #[schema(value_type = String, example = "790.400000")]
    would: Amount,
    /// Orders that no band covers: they could not have been placed.
    without_price: i64,
    /// In the order of the request, without those that cover no order.
    bands: Vec<BandPreview>,
}

/// Orders that one band covers.
#[derive(Debug, Serialize, ToSchema)]
struct BandPreview {
    /// The band's place in the request, from 0.
    band: i64,
    orders: i64,
    #[schema(value_type = String)]
    was: Amount,
    #[schema(value_type = String)]
    would: Amount,
}

impl PreviewView {
    fn of(day: NaiveDate, rows: Vec<PreviewRow>) -> Result<Self, Problem> {
        let sum = |of: fn(&PreviewRow) -> i64| trx(rows.iter().map(of).fold(0, i64::saturating_add));
        let without = rows.iter().filter(|row| row.band.is_none());
        Ok(Self {
            day,
            orders: rows.iter().map(|row| row.orders).sum(),
            was: sum(|row| row.was_sun)?,
            would: sum(|row| row.would_sun)?,
            without_price: without.map(|row| row.orders).sum(),
            bands: rows.iter().filter_map(BandPreview::of).collect::<Result<_, _>>()?,
        })
    }
}

impl BandPreview {
    fn of(row: &PreviewRow) -> Option<Result<Self, Problem>> {
        let band = row.band? - 1;
        let amounts = trx(row.was_sun).and_then(|was| Ok((was, trx(row.would_sun)?)));
        Some(amounts.map(|(was, would)| Self {
            band,
            orders: row.orders,
            was,
            would,
        }))
    }
}

/// The answer, with 200 or 202.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum PublishAnswer {
    /// It is in force.
    Published(PublishedView),
    /// It was only tried out.
    Preview(PreviewView),
    /// Another operator has to agree.
    Waiting(WaitingView),
}

/// Publishes a price table: it counts for every order from then on. With `approvals.prices` it waits first, with 202, until another
/// operator agrees. With `dry_run` it says what the orders of a day would have brought in under it, and publishes nothing.
#[utoipa::path(post, path = "/api/prices", tag = "prices", request_body = PublishPrices,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 200, description = "In force, or tried out", body = PublishAnswer,
            headers(("Idempotency-Replayed" = String, description = "true, if it was published before"))),
        (status = 202, description = "Another operator has to agree", body = WaitingView,
            headers(("Idempotency-Replayed" = String, description = "true, if it was asked for before")))))]
pub(crate) async fn publish_prices(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<PublishPrices>,
) -> Result<(StatusCode, HeaderMap, Json<PublishAnswer>), Problem> {
    let body = &request.body;
    if body.bands.len() > BANDS_MAX {
        let detail = format!("has {BANDS_MAX} lines at most");
        return Err(Problem::field(Code::InvalidBody, "#/bands", "invalid_value", detail));
    }
    let bands: Vec<Band> = body.bands.iter().map(Band::from).collect();
    if body.dry_run {
        let day = body
            .day
            .unwrap_or_else(|| (app.clock.now() - chrono::Duration::days(1)).date_naive());
        let rows = preview(&app.pool, &bands, span(day)?).await?;
        let view = PublishAnswer::Preview(PreviewView::of(day, rows)?);
        return Ok((StatusCode::OK, HeaderMap::new(), Json(view)));
    }
    if app.approvals.prices {
        let wanted = Wanted::Publish { bands };
        let (headers, waiting) = wait(&app, (&caller, &request), (&wanted, None), &body.reason).await?;
        return Ok((StatusCode::ACCEPTED, headers, Json(PublishAnswer::Waiting(waiting))));
    }
    let instruction = instruction(&caller, &request, Some(&body.reason), false);
    let (version, done) = publish(&app.pool, &*app.ids, &instruction, &bands, app.clock.now()).await?;
    let (headers, Json(view)) = answer(&done, PublishedView { version });
    Ok((StatusCode::OK, headers, Json(PublishAnswer::Published(view))))
}

/// From its beginning to the next one's.
fn span(day: NaiveDate) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
    let begin = day.and_time(NaiveTime::MIN).and_utc();
    // PostgreSQL's times end before chrono's
    let kept = (1970..=9_999).contains(&chrono::Datelike::year(&day));
    let end = begin.checked_add_signed(chrono::Duration::days(1)).filter(|_| kept);
    end.map(|end| (begin, end)).ok_or_else(|| {
        Problem::field(
            Code::InvalidBody,
            "#/day",
            "invalid_value",
            "must be a day from 1970 to 9999",
        )
    })
}
