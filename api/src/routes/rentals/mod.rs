//! Energy that is bought by a transfer, without an account.

pub(crate) mod get;
pub(crate) mod packages;

use chrono::{DateTime, Utc};
use db::models::{Rental, RentalState};
use kernel::Amount;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::Problem;
use crate::routes::trx;

/// Coin that was sent for energy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RentalView {
    /// Its id, which is the transfer's.
    id: Uuid,
    /// `waiting`, `placed` (see its order), `delivered`, `returning` (see its payout), `returned`, `held` (for an operator) or
    /// `closed`.
    #[schema(value_type = String, example = "delivered")]
    state: RentalState,
    /// Who sent it.
    #[schema(example = "TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7")]
    sender: String,
    /// TRX that came.
    #[schema(value_type = String, example = "3.200000")]
    amount: Amount,
    /// Who is to receive the energy; null where the amount or the memo buys nothing.
    receiver: Option<String>,
    /// How much energy it buys.
    energy: Option<i64>,
    /// For how long, seconds.
    duration_s: Option<i32>,
    /// The order.
    order_id: Option<Uuid>,
    /// The payout that brings, or brought, it back.
    payout_id: Option<Uuid>,
    /// Why nothing was delivered: `no_package`, `bad_memo`, `no_price`, or why the order ended.
    reason: Option<String>,
    /// Why it was not sent back by itself: `sender_unknown`, `below_minimum`, `sender_is_ours`, `payout_rejected` or
    /// `payout_failed`.
    held_because: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Rental> for RentalView {
    type Error = Problem;

    fn try_from(rental: Rental) -> Result<Self, Problem> {
        Ok(Self {
            id: rental.transfer_id,
            state: rental.state,
            sender: rental.sender,
            amount: trx(rental.amount_sun)?,
            receiver: rental.receiver,
            energy: rental.energy,
            duration_s: rental.duration_s,
            order_id: rental.order_id,
            payout_id: rental.payout_id,
            reason: rental.reason_code,
            held_because: rental.held_code,
            created_at: rental.created_at,
            updated_at: rental.updated_at,
        })
    }
}
