//! `POST /api/orders`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use axum::{Extension, Json};
use chain::TronAddress;
use domain::orders::{AcceptOrder, Idempotency, accept};
use domain::principals::Principal;
use kernel::{QuoteId, UserId};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::OrderView;
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::{Code, Problem};

/// An order to place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateOrder {
    /// Who pays: the bot's number of the user, positive.
    #[schema(example = 42)]
    user_id: i64,
    /// Who receives the energy: a TRON address in base58.
    #[schema(value_type = String, example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    receiver: TronAddress,
    /// How much energy.
    #[schema(example = 65000)]
    energy: i64,
    /// For how long, seconds.
    #[schema(example = 3600)]
    duration_s: i32,
    /// A quote of the same energy and duration: the order costs what was quoted. Without it the current price.
    quote_id: Option<Uuid>,
}

impl CreateOrder {
    /// To accept for a caller. `at` is where it stands in the body.
    pub(crate) fn to_accept(
        &self,
        caller: &Principal,
        idempotency: Idempotency,
        at: &str,
    ) -> Result<AcceptOrder, Problem> {
        if self.user_id < 1 {
            let at = format!("{at}/user_id");
            return Err(Problem::field(
                Code::InvalidBody,
                at,
                "invalid_value",
                "must be positive",
            ));
        }
        Ok(AcceptOrder {
            api_key: caller.key,
            actor: caller.actor(),
            user: UserId(self.user_id),
            receiver: self.receiver,
            energy: self.energy,
            duration_s: self.duration_s,
            quote: self.quote_id.map(QuoteId),
            idempotency,
        })
    }
}

pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Accepts an order and holds its price.
///
/// Sent again with the same Idempotency-Key and body it answers the same order, with 200 and `Idempotency-Replayed: true`.
#[utoipa::path(post, path = "/api/orders", tag = "orders", request_body = CreateOrder,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "Accepted", body = OrderView, headers(("Location" = String, description = "The order"))),
        (status = 200, description = "Accepted before", body = OrderView,
            headers(("Idempotency-Replayed" = String, description = "true")))))]
pub(crate) async fn create_order(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<CreateOrder>,
) -> Result<(StatusCode, HeaderMap, Json<OrderView>), Problem> {
    let mark = Idempotency {
        key: request.key,
        request_sha256: request.request_sha256,
    };
    let order = request.body.to_accept(&caller, mark, "#")?;
    let accepted = accept(&app.pool, &*app.ids, &app.rules().policy, &order, app.clock.now()).await?;
    app.wakes.push(accepted.wake);
    let order = OrderView::try_from(accepted.order)?;
    let mut headers = HeaderMap::new();
    if let Ok(location) = HeaderValue::try_from(format!("/api/orders/{}", order.id)) {
        headers.insert(LOCATION, location);
    }
    if accepted.replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        return Ok((StatusCode::OK, headers, Json(order)));
    }
    Ok((StatusCode::CREATED, headers, Json(order)))
}
