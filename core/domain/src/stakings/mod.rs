//! Stakings: coin of supplier wallets becomes stake, stake is unstaked, taken back once it has waited, or staked again instead.
//! By an operator, or by the policy. The coin is the house's own: no movement of the ledger belongs to it, and what the chain
//! burns for it is not booked, as for delegations: the coin of wallets that lend is in no account of the ledger.
//!
//! Of each wallet at most one staking of an action is open, and of each staking at most one transaction can land or has landed
//! well: an index allows no other, and another is signed only after the one before is proven dead. A refusal proves nothing:
//! what was staked twice would be back only after weeks.
//!
//! Stake that is being unstaked is reserved, like stake that is being lent, so that nobody lends it.
//!
//! Lock order: limits, chain transaction, staking, wallet.

mod burns;
mod claim;
mod decide;
mod outcome;
mod plan;
mod read;
mod request;

pub use burns::{BandwidthFacts, TRANSACTION_BANDWIDTH, burns_soon, missing_points, watch_bandwidth_in_tx};
pub(crate) use claim::end_in_tx;
pub use claim::{SignedStake, StakeClaim, StakeClaimed, ToStake, claim_stake_in_tx, stake_signed_in_tx};
pub use decide::{MAX_UNFREEZING, StakeFacts, unmet};
pub(crate) use outcome::{adopt_in_tx, final_in_tx, give_up_in_tx, reverted_in_tx, sent_in_tx};
pub use plan::{PlanFacts, Planned, StakePolicy, plan_all, plan_wallet, wishes};
pub use read::{StakeWork, StakingDetail, coming_energy_sun, detail, page, to_stake};
pub(crate) use request::{Origin, checked_room_in_tx, request_in_tx};
pub use request::{StakeRefusal, StakeRoom, StakeRules, StakeWish};

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{NewStakingEvent, Staking, StakingState};
use serde_json::Value;
use uuid::Uuid;

use crate::DomainError;

/// Adds a line to a staking's timeline, in the transaction of what happened.
pub(crate) async fn note_in_tx(
    conn: &mut Conn,
    (staking, state): (Uuid, StakingState),
    event: &str,
    actor: &str,
    detail: Value,
    at: DateTime<Utc>,
) -> Result<(), DomainError> {
    Ok(NewStakingEvent {
        staking_id: staking,
        at,
        event,
        state,
        actor,
        detail,
    }
    .insert(conn)
    .await?)
}

pub(crate) async fn lock(conn: &mut Conn, id: Uuid) -> Result<Staking, DomainError> {
    Staking::lock(conn, id).await?.ok_or(DomainError::NotFound("staking"))
}

/// What findings about the stakings of a wallet are about.
pub(crate) fn subject(wallet: Uuid) -> String {
    format!("wallet:{wallet}")
}
