//! Exchanges of a user's USDT to TRX: asked for, shown, listed.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;

use chrono::{DateTime, Utc};
use db::models::{Exchange, ExchangeCause, ExchangeState};
use kernel::{Amount, Asset};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Money, trx};
use crate::problem::Problem;

/// An exchange.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExchangeView {
    /// Its id.
    pub(crate) id: Uuid,
    /// Whose money.
    user_id: i64,
    /// `done`; `pending`: it waits for a fresh rate; `failed`: nothing was exchanged.
    #[schema(value_type = String, example = "done")]
    state: ExchangeState,
    /// Why it failed: `funds_spent`, `too_small`, `too_large` or `deposit_reversed`.
    reason: Option<String>,
    /// `request`, or `deposit`: what came in is exchanged by the settings.
    #[schema(value_type = String, example = "request")]
    cause: ExchangeCause,
    /// The transfer that brought the USDT, of a deposit.
    transfer_id: Option<Uuid>,
    /// What is given.
    from: Money,
    /// What was got for it; null while it waits, and where it failed.
    to: Option<Money>,
    /// The stored rate that it was done at.
    rate_id: Option<Uuid>,
    /// That rate: TRX for one USDT.
    #[schema(value_type = Option<String>, example = "3.519887")]
    rate: Option<Amount>,
    /// What the house kept of it, in 1/100 %.
    fee_bp: Option<i32>,
    /// What was left: `to` is `from` at this rate, rounded down.
    #[schema(value_type = Option<String>, example = "3.519887")]
    net_rate: Option<Amount>,
    /// Who asked for it: `api_key:<id>`, `operator:<name>` or `worker`.
    requested_by: String,
    created_at: DateTime<Utc>,
    /// When it was done, or failed.
    ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<Exchange> for ExchangeView {
    type Error = Problem;

    fn try_from(exchange: Exchange) -> Result<Self, Problem> {
        let to = exchange.sun.map(trx).transpose()?;
        Ok(Self {
            id: exchange.id,
            user_id: exchange.user_id,
            state: exchange.state,
            reason: exchange.reason_code,
            cause: exchange.cause,
            transfer_id: exchange.transfer_id,
            from: Money {
                amount: trx(exchange.usdt_micro)?,
                asset: Asset::Usdt,
            },
            to: to.map(|amount| Money {
                amount,
                asset: Asset::Trx,
            }),
            rate_id: exchange.rate_id,
            rate: exchange.rate_sun_per_usdt.map(trx).transpose()?,
            fee_bp: exchange.fee_bp,
            net_rate: exchange.net_sun_per_usdt.map(trx).transpose()?,
            requested_by: exchange.requested_by,
            created_at: exchange.created_at,
            ended_at: exchange.ended_at,
        })
    }
}
