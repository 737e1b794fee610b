//! Delegations: reserved with a signed transaction, active once a block carries it, undone after the rental ends.
//!
//! Lock order everywhere: chain transaction, delegation, order, wallet.

mod adopt;
pub mod choice;
mod claim;
mod claim_many;
mod death;
mod free;
mod included;
mod parts;
mod reclaim;
mod reclaim_many;
mod reverted;

pub use adopt::{Adoption, adopt};
pub use claim::{Claim, ClaimRequest, Claimed, SignedClaim, claim_in_tx, signed_in_tx};
pub use claim_many::{ClaimOfMany, claim_many_in_tx};
pub(crate) use death::{give_up_in_tx, retry_reclaim_in_tx};
pub(crate) use included::{made_in_tx, undone_in_tx};
pub use parts::{end_incomplete, missing_energy};
pub use reclaim::{Reclaim, Reclaiming, claim_reclaim_in_tx, wake_ended_in_tx};
pub use reclaim_many::{ReclaimOfMany, claim_reclaims_in_tx};
pub(crate) use reverted::reverted_in_tx;

pub use crate::intents::DeathPolicy;
