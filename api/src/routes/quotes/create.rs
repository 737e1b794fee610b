//! `POST /api/quotes`.

use std::sync::Arc;

use access::Permission;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use chrono::{DateTime, Duration, Utc};
use domain::orders::{WantedQuote, quote};
use domain::pool::HoldRules;
use kernel::Asset;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::Idempotent;
use crate::middleware::{Caller, need};
use crate::problem::Problem;
use crate::routes::pool::sharing;
use crate::routes::{Money, made, mark, trx};

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
    /// Whether to set the energy aside, too, until the quote expires: an order on it is then delivered from there. It needs
    /// the scope `orders:write`.
    #[serde(default)]
    hold_stock: bool,
}

/// A price that holds until it expires.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuoteView {
    /// The `quote_id` of an order of the same energy and duration, by the same API key; good for one order.
    id: Uuid,
    energy: i64,
    duration_s: i32,
    price: Money,
    /// Whether the energy is set aside, too.
    stock_held: bool,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// Holds the current price for `orders.quote_s` seconds, and with `hold_stock` the energy itself. Nothing is charged.
///
/// Energy that is set aside is delivered to the order on this quote, whoever else orders meanwhile, unless its wallet fails;
/// what nobody ordered is free again when the quote expires. One key may hold so much at a time
/// (`orders.quote_stock_energy`).
#[utoipa::path(post, path = "/api/quotes", tag = "prices", request_body = CreateQuote,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses(
        (status = 201, description = "The price holds", body = QuoteView),
        (status = 200, description = "Quoted before", body = QuoteView,
            headers(("Idempotency-Replayed" = String, description = "true")))))]
pub(crate) async fn create_quote(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<CreateQuote>,
) -> Result<(StatusCode, HeaderMap, Json<QuoteView>), Problem> {
    let (mark, body) = (mark(&caller, &request), request.body);
    if body.hold_stock {
        need(&caller, Permission::OrdersWrite)?;
    }
    let rules = app.rules();
    let orders = &rules.settings.orders;
    let wanted = WantedQuote {
        mark: &mark,
        energy: body.energy,
        duration_s: body.duration_s,
        life: Duration::seconds(orders.quote_s),
        hold: body.hold_stock.then(|| HoldRules {
            sharing: sharing(&rules.settings),
            margin_bps: orders.stake_margin_bps,
            energy_max: orders.quote_stock_energy,
        }),
    };
    let quoted = quote(&app.pool, &*app.ids, &rules.policy, &wanted, app.clock.now()).await?;
    let quote = quoted.quote;
    let view = QuoteView {
        id: quote.id,
        energy: quote.energy,
        duration_s: quote.duration_s,
        price: Money {
            amount: trx(quote.price_sun)?,
            asset: Asset::Trx,
        },
        stock_held: wanted.hold.is_some(),
        created_at: quote.created_at,
        expires_at: quote.expires_at,
    };
    Ok(made(quoted.replayed, None, view))
}
