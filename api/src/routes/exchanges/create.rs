//! `POST /api/users/{user_id}/exchange`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderValue, LOCATION};
use axum::{Extension, Json};
use domain::exchanges::{RequestExchange, request};
use domain::orders::Idempotency;
use kernel::{Amount, Asset};
use serde::Deserialize;
use utoipa::ToSchema;

use super::ExchangeView;
use crate::App;
use crate::extract::{Idempotent, user_id};
use crate::middleware::Caller;
use crate::problem::{Code, Problem};
use crate::routes::orders::create::REPLAYED;

/// An exchange to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateExchange {
    /// `USDT`.
    #[schema(value_type = String, example = "USDT")]
    from: Asset,
    /// `TRX`.
    #[schema(value_type = String, example = "TRX")]
    to: Asset,
    /// How much USDT.
    #[schema(value_type = String, example = "10.000000")]
    amount: Amount,
    /// The least TRX to get for it. At a rate that gives less nothing is exchanged.
    #[schema(value_type = Option<String>, example = "35.000000")]
    min_receive: Option<Amount>,
}

impl CreateExchange {
    /// The one pair that there is.
    fn check(&self) -> Result<(), Problem> {
        let wrong = |pointer: &str, detail: &str| Problem::field(Code::InvalidBody, pointer, "invalid_value", detail);
        match (self.from, self.to) {
            (Asset::Usdt, Asset::Trx) => Ok(()),
            (Asset::Usdt, _) => Err(wrong("#/to", "must be TRX")),
            _ => Err(wrong("#/from", "must be USDT")),
        }
    }
}

/// Exchanges a user's USDT to TRX, at once, at the rate in use.
///
/// The amount is rounded down to a sun. Where there is no fresh rate, nothing is exchanged: 503 `rate_unavailable`. Sent again
/// with the same Idempotency-Key and body it answers the same exchange, with 200 and `Idempotency-Replayed: true`.
#[utoipa::path(post, path = "/api/users/{user_id}/exchange", tag = "exchanges", request_body = CreateExchange,
    params(
        ("user_id" = i64, Path, description = "The user"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "Done", body = ExchangeView, headers(("Location" = String, description = "The exchange"))),
        (status = 200, description = "Done before", body = ExchangeView,
            headers(("Idempotency-Replayed" = String, description = "true")))))]
pub(crate) async fn create_exchange(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(user): Path<String>,
    body: Idempotent<CreateExchange>,
) -> Result<(StatusCode, HeaderMap, Json<ExchangeView>), Problem> {
    body.body.check()?;
    let wanted = RequestExchange {
        api_key: caller.key,
        actor: caller.actor(),
        user: user_id(&user)?,
        usdt: body.body.amount,
        min_receive: body.body.min_receive,
        idempotency: Idempotency {
            key: body.key,
            request_sha256: body.request_sha256,
        },
    };
    let done = request(&app.pool, &*app.ids, &app.rules().rates, &wanted, app.clock.now()).await?;
    let exchange = ExchangeView::try_from(done.exchange)?;
    let mut headers = HeaderMap::new();
    if let Ok(location) = HeaderValue::try_from(format!("/api/exchanges/{}", exchange.id)) {
        headers.insert(LOCATION, location);
    }
    if done.replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        return Ok((StatusCode::OK, headers, Json(exchange)));
    }
    Ok((StatusCode::CREATED, headers, Json(exchange)))
}
