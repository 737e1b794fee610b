//! Orders: accepted, shown, listed, cancelled, extended.

pub(crate) mod cancel;
pub(crate) mod create;
pub(crate) mod create_batch;
pub(crate) mod export;
pub(crate) mod extend;
pub(crate) mod get;
pub(crate) mod list;

use chrono::{DateTime, Utc};
use db::models::{Order, OrderState};
use kernel::Asset;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Money, trx};
use crate::problem::Problem;

/// An order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderView {
    /// Its id.
    pub(crate) id: Uuid,
    /// Who pays.
    user_id: i64,
    /// Who receives the energy.
    #[schema(example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    receiver: String,
    /// How much energy.
    energy: i64,
    /// For how long, seconds.
    duration_s: i32,
    /// What it cost.
    price: Money,
    /// `pending`, `processing`, `completed`, `failed`, `cancelled` or `refunded`.
    #[schema(value_type = String, example = "pending")]
    state: OrderState,
    /// Why it is not delivered (yet), such as `no_wallet_fits`.
    reason: Option<String>,
    /// When it was accepted.
    created_at: DateTime<Utc>,
    /// What is not delivered by then is refunded.
    deadline_at: DateTime<Utc>,
    /// When the energy arrived: the block's time.
    completed_at: Option<DateTime<Utc>>,
    /// When the rental ends.
    ends_at: Option<DateTime<Utc>>,
    /// When delivery became irrevocable.
    settled_at: Option<DateTime<Utc>>,
}

impl TryFrom<Order> for OrderView {
    type Error = Problem;

    fn try_from(order: Order) -> Result<Self, Problem> {
        Ok(Self {
            id: order.id,
            user_id: order.user_id,
            receiver: order.receiver,
            energy: order.energy,
            duration_s: order.duration_s,
            price: Money {
                amount: trx(order.price_sun)?,
                asset: Asset::Trx,
            },
            state: order.state,
            reason: order.reason_code,
            created_at: order.created_at,
            deadline_at: order.deadline_at,
            completed_at: order.completed_at,
            ends_at: order.ends_at,
            settled_at: order.settled_at,
        })
    }
}
