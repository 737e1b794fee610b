//! One folder per resource, one file per action. View types stand beside the handlers that answer them.

pub(crate) mod deposits;
pub(crate) mod exchanges;
pub(crate) mod operations;
pub(crate) mod orders;
pub(crate) mod payouts;
pub(crate) mod pool;
pub(crate) mod prices;
pub(crate) mod quotes;
pub(crate) mod rates;
pub(crate) mod rentals;
pub(crate) mod standing_orders;
pub(crate) mod supplier_wallets;
pub(crate) mod user_wallets;
pub(crate) mod users;
pub(crate) mod webhooks;

use kernel::{Amount, Asset};
use serde::Serialize;
use utoipa::ToSchema;

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
