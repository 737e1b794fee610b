//! `POST /api/prices`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use domain::operations::{Wanted, publish_prices as publish};
use domain::pricing::Band;
use kernel::PriceVersionId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::{Code, Problem};
use crate::routes::approvals::{WaitingView, wait};
use crate::routes::operations::{answer, instruction};

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

/// The answer, with 200 or 202.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum PublishAnswer {
    /// It is in force.
    Published(PublishedView),
    /// Another operator has to agree.
    Waiting(WaitingView),
}

/// Publishes a price table: it counts for every order from then on. With `approvals.prices` it waits first, with 202, until another
/// operator agrees.
#[utoipa::path(post, path = "/api/prices", tag = "prices", request_body = PublishPrices,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 200, description = "In force", body = PublishedView,
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
