//! `POST /api/quotes`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use chrono::{DateTime, Duration, Utc};
use domain::orders::quote;
use kernel::Asset;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::JsonBody;
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::{Money, trx};

/// What the price is asked of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateQuote {
    /// How much energy.
    #[schema(example = 65000)]
    energy: i64,
    /// For how long, seconds.
    #[schema(example = 3600)]
    duration_s: i32,
}

/// A price that holds until it expires.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuoteView {
    /// The `quote_id` of an order of the same energy and duration, by the same API key; good for one order.
    id: Uuid,
    energy: i64,
    duration_s: i32,
    price: Money,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// Holds the current price for `orders.quote_s` seconds. Nothing is charged, and no energy is set aside.
#[utoipa::path(post, path = "/api/quotes", tag = "prices", request_body = CreateQuote,
    responses((status = 201, description = "The price holds", body = QuoteView)))]
pub(crate) async fn create_quote(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    JsonBody(body): JsonBody<CreateQuote>,
) -> Result<(StatusCode, Json<QuoteView>), Problem> {
    let life = Duration::seconds(app.settings.orders.quote_s);
    let wanted = (caller.key, body.energy, body.duration_s);
    let quote = quote(&app.pool, &*app.ids, &app.policy, wanted, life, app.clock.now()).await?;
    let view = QuoteView {
        id: quote.id,
        energy: quote.energy,
        duration_s: quote.duration_s,
        price: Money {
            amount: trx(quote.price_sun)?,
            asset: Asset::Trx,
        },
        created_at: quote.created_at,
        expires_at: quote.expires_at,
    };
    Ok((StatusCode::CREATED, Json(view)))
}
