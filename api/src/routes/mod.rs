//! One folder per resource, one file per action. View types stand beside the handlers that answer them.

pub(crate) mod approvals;
pub(crate) mod auth;
pub(crate) mod csv;
pub(crate) mod deposits;
pub(crate) mod events;
pub(crate) mod exchanges;
pub(crate) mod keys;
pub(crate) mod operations;
pub(crate) mod operators;
pub(crate) mod orders;
pub(crate) mod payouts;
pub(crate) mod pool;
pub(crate) mod prices;
pub(crate) mod quotes;
pub(crate) mod rates;
pub(crate) mod rentals;
pub(crate) mod roles;
pub(crate) mod settings;
pub(crate) mod standing_orders;
pub(crate) mod supplier_wallets;
pub(crate) mod user_wallets;
pub(crate) mod users;
pub(crate) mod webhooks;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderValue, LOCATION};
use domain::operations::Mark;
use domain::principals::Principal;
use kernel::{Amount, Asset};
use serde::Serialize;
use utoipa::ToSchema;

use self::orders::create::REPLAYED;
use crate::extract::Idempotent;
use crate::problem::Problem;

/// An amount of one asset.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Money {
    /// A decimal string with 6 decimals.
    #[schema(value_type = String, example = "3.250000")]
    amount: Amount,
    /// `TRX` or `USDT`.
    #[schema(value_type = String, example = "TRX")]
    asset: Asset,
}

/// Stored sun as TRX.
fn trx(sun: i64) -> Result<Amount, Problem> {
    Amount::from_minor(sun).map_err(|_| Problem::internal(format!("{sun} sun is no amount")))
}

/// Cuts a list of up to `limit` + 1 rows to a page; answers the last row's cursor if there is more.
fn cut<T, C>(rows: &mut Vec<T>, limit: u32, cursor: impl Fn(&T) -> C) -> Option<C> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(cursor)
}

/// The caller's mark of a request.
fn mark<T>(caller: &Principal, request: &Idempotent<T>) -> Mark {
    Mark {
        api_key: caller.key,
        key: request.key.clone(),
        request_sha256: request.request_sha256,
    }
}

/// The headers of an answer to a request that was carried out before.
fn replayed() -> HeaderMap {
    HeaderMap::from_iter([(REPLAYED, HeaderValue::from_static("true"))])
}

/// An answer that made something, or says that it was made before.
fn made<T>(replayed: bool, location: Option<String>, body: T) -> (StatusCode, HeaderMap, Json<T>) {
    let mut headers = HeaderMap::new();
    if let Some(Ok(location)) = location.map(HeaderValue::try_from) {
        headers.insert(LOCATION, location);
    }
    if replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        return (StatusCode::OK, headers, Json(body));
    }
    (StatusCode::CREATED, headers, Json(body))
}
