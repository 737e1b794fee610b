//! Standing orders: an address is kept at so much energy until a date or a budget.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod stop;

use chrono::{DateTime, Utc};
use db::models::{StandingOrder, StandingState};
use kernel::Asset;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Money, trx};
use crate::problem::Problem;

/// A standing order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingView {
    id: Uuid,
    /// Who pays.
    user_id: i64,
    /// The address that is kept.
    #[schema(example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    receiver: String,
    /// What it is to have at any time.
    keep_energy: i64,
    /// For how long each order is, seconds.
    duration_s: i32,
    /// What its orders may cost together, less what is given back.
    budget: Money,
    /// When it ends.
    until: DateTime<Utc>,
    /// `active` or `ended`.
    #[schema(value_type = String, example = "active")]
    state: StandingState,
    /// Why it ended (`stopped`, `date`, `budget`, `receiver_refused`, `api_key_revoked`, also of an operator who is disabled), or why it
    /// cannot order now, such as `insufficient_funds`: it goes on trying.
    reason: Option<String>,
    /// What the last look found the address to have.
    seen_energy: Option<i64>,
    /// When that was.
    seen_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl TryFrom<StandingOrder> for StandingView {
    type Error = Problem;

    fn try_from(standing: StandingOrder) -> Result<Self, Problem> {
        Ok(Self {
            id: standing.id,
            user_id: standing.user_id,
            receiver: standing.receiver,
            keep_energy: standing.keep_energy,
            duration_s: standing.duration_s,
            budget: Money {
                amount: trx(standing.budget_sun)?,
                asset: Asset::Trx,
            },
            until: standing.until,
            state: standing.state,
            reason: standing.end_code.or(standing.held_code),
            seen_energy: standing.seen_energy,
            seen_at: standing.seen_at,
            created_at: standing.created_at,
        })
    }
}
