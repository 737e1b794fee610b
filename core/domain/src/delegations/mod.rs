//! Delegations: reserved with a signed transaction, active once a block carries it, undone after the rental ends.
//!
//! Lock order everywhere: chain transaction, delegation, order, wallet.

mod chain_events;
mod claim;
mod death;
mod reclaim;

pub(crate) use chain_events::{included_in_tx, reverted_in_tx};
pub use claim::{Claim, ClaimRequest, Claimed, claim_in_tx, signed_in_tx};
pub use death::{DeathPolicy, after_death_in_tx};
pub use reclaim::{Reclaim, Reclaiming, claim_reclaim_in_tx, wake_ended_in_tx};
