//! Sweeps: what customers paid to addresses of their own is collected to a treasury wallet. The money is the users' already;
//! on the ledger only what the chain burns and what the energy costs is booked.
//!
//! Coin is sent as it is. A token needs energy, which is never burned: it is lent from our own pool by an order of the house's
//! own customer, for an address that a treasury wallet has brought into being where only tokens came to it. Each step is
//! decided by what the chain says at that moment (`decide`), and taken under the sweep's lock.
//!
//! Of each sweep at most one transaction can land or has landed well, as of a payout: an index allows no other, and another is
//! signed only after the one before is proven dead, or final and without effect.
//!
//! Lock order: chain transaction, sweep, choice of a treasury, wallet, ledger account.

mod claim;
mod decide;
mod energy;
mod outcome;
mod plan;
mod read;

pub(crate) use claim::cancel_in_tx;
pub use claim::{
    Activation, SignedSweep, SweepClaim, SweepClaimed, ToCollect, cancel, claim_activation_in_tx, claim_sweep_in_tx,
    sweep_signed_in_tx, wait,
};
pub use decide::{Holding, SweepRules, SweepStep, TokenFacts, decide_coin, decide_token, energy_wanted, left_of_coin};
pub use energy::{EnergyStanding, House, rent, unrent};
pub(crate) use outcome::{adopt_in_tx, final_in_tx, give_up_in_tx, reverted_in_tx, sent_in_tx};
pub use plan::{Planned, SweepPolicy, candidates, plan};
pub use read::{SweepDetail, SweepWork, destination, detail, page, to_sweep};

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{NewSweepEvent, Sweep, SweepState};
use kernel::Asset;
use serde_json::Value;
use uuid::Uuid;

use crate::DomainError;

/// Adds a line to a sweep's timeline, in the transaction of what happened.
pub(crate) async fn note_in_tx(
    conn: &mut Conn,
    (sweep, state): (Uuid, SweepState),
    event: &str,
    actor: &str,
    detail: Value,
    at: DateTime<Utc>,
) -> Result<(), DomainError> {
    Ok(NewSweepEvent {
        sweep_id: sweep,
        at,
        event,
        state,
        actor,
        detail,
    }
    .insert(conn)
    .await?)
}

pub(crate) async fn lock(conn: &mut Conn, id: Uuid) -> Result<Sweep, DomainError> {
    Sweep::lock(conn, id).await?.ok_or(DomainError::NotFound("sweep"))
}

/// What a row says it is of.
pub(crate) fn asset_of(sweep: &Sweep) -> Result<Asset, DomainError> {
    sweep
        .asset
        .parse()
        .map_err(|_| DomainError::Broken(format!("the asset of sweep {}", sweep.id)))
}
