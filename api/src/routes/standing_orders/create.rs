//! `POST /api/standing-orders`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderValue, LOCATION};
use axum::{Extension, Json};
use chain::TronAddress;
use chrono::{DateTime, Utc};
use domain::orders::Idempotency;
use domain::standing_orders::{OpenStanding, open};
use kernel::{Amount, UserId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::StandingView;
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::{Code, Problem};
use crate::routes::orders::create::REPLAYED;

/// An address to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateStanding {
    /// Who pays: the bot's number of the user, positive.
    #[schema(example = 42)]
    user_id: i64,
    /// The address: a TRON address in base58.
    #[schema(value_type = String, example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    receiver: TronAddress,
    /// What it is to have at any time.
    #[schema(example = 131_000)]
    keep_energy: i64,
    /// For how long each order is, seconds.
    #[schema(example = 3600)]
    duration_s: i32,
    /// What its orders may cost together, TRX; at least the price of `keep_energy` once.
    #[schema(value_type = String, example = "100.000000")]
    budget: Amount,
    /// When it ends: within 366 days.
    until: DateTime<Utc>,
}

/// Keeps an address at so much energy: whenever it has less, or soon will, an order is placed and paid for it.
///
/// Nothing is charged now. Each order is one like every other, at the price of its moment; one that is not delivered is paid
/// back and does not count. Sent again with the same Idempotency-Key and body it answers the same standing order, with 200 and
/// `Idempotency-Replayed: true`.
#[utoipa::path(post, path = "/api/standing-orders", tag = "standing orders", request_body = CreateStanding,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "Begun", body = StandingView,
            headers(("Location" = String, description = "The standing order"))),
        (status = 200, description = "Begun before", body = StandingView,
            headers(("Idempotency-Replayed" = String, description = "true")))))]
pub(crate) async fn create_standing_order(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<CreateStanding>,
) -> Result<(StatusCode, HeaderMap, Json<StandingView>), Problem> {
    let body = request.body;
    if body.user_id < 1 {
        let at = "#/user_id".to_owned();
        return Err(Problem::field(
            Code::InvalidBody,
            at,
            "invalid_value",
            "must be positive",
        ));
    }
    let wish = OpenStanding {
        api_key: caller.key,
        user: UserId(body.user_id),
        receiver: body.receiver,
        keep_energy: body.keep_energy,
        duration_s: body.duration_s,
        budget: body.budget,
        until: body.until,
        idempotency: Idempotency {
            key: request.key,
            request_sha256: request.request_sha256,
        },
    };
    let opened = open(&app.pool, &*app.ids, &app.rules().policy, &wish, app.clock.now()).await?;
    app.wakes.push(opened.wake);
    let view = StandingView::try_from(opened.standing)?;
    let mut headers = HeaderMap::new();
    if let Ok(location) = HeaderValue::try_from(format!("/api/standing-orders/{}", view.id)) {
        headers.insert(LOCATION, location);
    }
    if opened.replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        return Ok((StatusCode::OK, headers, Json(view)));
    }
    Ok((StatusCode::CREATED, headers, Json(view)))
}
