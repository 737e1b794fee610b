//! `POST /api/users/{user_id}/payouts`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderValue, LOCATION};
use axum::{Extension, Json};
use chain::TronAddress;
use domain::orders::Idempotency;
use domain::payouts::{RequestPayout, request};
use kernel::{Amount, Asset};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{PayoutView, view};
use crate::App;
use crate::extract::{Idempotent, user_id};
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::orders::create::REPLAYED;

/// A payout to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreatePayout {
    /// `TRX` or `USDT`.
    #[schema(value_type = String, example = "TRX")]
    asset: Asset,
    /// How much.
    #[schema(value_type = String, example = "12.500000")]
    amount: Amount,
    /// Where to: a TRON address in base58.
    #[schema(value_type = String, example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    to: TronAddress,
}

/// Sets a user's money aside and pays it to an address. A large amount waits for an operator.
///
/// Sent again with the same Idempotency-Key and body it answers the same payout, with 200 and `Idempotency-Replayed: true`.
#[utoipa::path(post, path = "/api/users/{user_id}/payouts", tag = "payouts", request_body = CreatePayout,
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "Taken", body = PayoutView, headers(("Location" = String, description = "The payout"))),
        (status = 200, description = "Taken before", body = PayoutView,
            headers(("Idempotency-Replayed" = String, description = "true")))))]
pub(crate) async fn create_payout(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(user): Path<String>,
    body: Idempotent<CreatePayout>,
) -> Result<(StatusCode, HeaderMap, Json<PayoutView>), Problem> {
    let wanted = RequestPayout {
        api_key: caller.key,
        actor: caller.actor(),
        user: user_id(&user)?,
        asset: body.body.asset,
        amount: body.body.amount,
        to: body.body.to,
        idempotency: Idempotency {
            key: body.key,
            request_sha256: body.request_sha256,
        },
    };
    let taken = request(&app.pool, &*app.ids, &app.rules().payouts, &wanted, app.clock.now()).await?;
    app.wakes.push(taken.wake);
    let payout = view(&app, taken.payout).await?;
    let mut headers = HeaderMap::new();
    if let Ok(location) = HeaderValue::try_from(format!("/api/payouts/{}", payout.id)) {
        headers.insert(LOCATION, location);
    }
    if taken.replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        return Ok((StatusCode::OK, headers, Json(payout)));
    }
    Ok((StatusCode::CREATED, headers, Json(payout)))
}
