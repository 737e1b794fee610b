//! `POST /api/orders/{id}/extend`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderValue};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use db::models::OrderExtension;
use domain::orders::{ExtendOrder, Idempotency, extend};
use kernel::Asset;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::OrderView;
use super::create::REPLAYED;
use crate::App;
use crate::extract::{Idempotent, path};
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::{Money, trx};

/// More time to buy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extend {
    /// How much more, seconds; priced as an order of the same energy for so long.
    #[schema(example = 3600)]
    duration_s: i32,
}

/// Time that was bought.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExtensionView {
    id: Uuid,
    /// How much, seconds.
    duration_s: i32,
    /// What it cost.
    price: Money,
    /// When the rental ended before.
    ends_at_before: DateTime<Utc>,
    /// When it ends from then on.
    ends_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

/// An order whose time was extended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExtendedView {
    extension: ExtensionView,
    /// The order as it is now.
    order: OrderView,
}

impl TryFrom<&OrderExtension> for ExtensionView {
    type Error = Problem;

    fn try_from(row: &OrderExtension) -> Result<Self, Problem> {
        Ok(Self {
            id: row.id,
            duration_s: row.duration_s,
            price: Money {
                amount: trx(row.price_sun)?,
                asset: Asset::Trx,
            },
            ends_at_before: row.ends_at_before,
            ends_at: row.ends_at,
            created_at: row.created_at,
        })
    }
}

/// Buys more time for a rental that runs, at the current price, from the balance of the order's user.
///
/// The order has to be settled and its time not over; from now on it may run for `orders.duration_max_s` at most. Sent again with
/// the same Idempotency-Key and body it answers the same extension, with 200 and `Idempotency-Replayed: true`.
#[utoipa::path(post, path = "/api/orders/{id}/extend", tag = "orders", request_body = Extend,
    params(("id" = Uuid, Path, description = "The order"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "Extended", body = ExtendedView),
        (status = 200, description = "Extended before", body = ExtendedView,
            headers(("Idempotency-Replayed" = String, description = "true")))))]
pub(crate) async fn extend_order(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
    request: Idempotent<Extend>,
) -> Result<(StatusCode, HeaderMap, Json<ExtendedView>), Problem> {
    let wish = ExtendOrder {
        api_key: caller.key,
        actor: caller.actor(),
        order: path("id", &id)?,
        duration_s: request.body.duration_s,
        idempotency: Idempotency {
            key: request.key,
            request_sha256: request.request_sha256,
        },
    };
    let extended = extend(&app.pool, &*app.ids, &app.rules().policy, &wish, app.clock.now()).await?;
    let view = ExtendedView {
        extension: ExtensionView::try_from(&extended.extension)?,
        order: extended.order.try_into()?,
    };
    let mut headers = HeaderMap::new();
    if extended.replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        return Ok((StatusCode::OK, headers, Json(view)));
    }
    Ok((StatusCode::CREATED, headers, Json(view)))
}
