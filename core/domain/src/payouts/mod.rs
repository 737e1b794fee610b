//! Payouts: money of a user that leaves to an address. Set aside when it is asked for, settled once a solidified block
//! carries it, given back when it is refused or can certainly never be paid. The states are in `db::models::PayoutState`.
//!
//! A payout is paid at most once: an index allows one transaction of it that may land or has landed well, and another is
//! signed only after the one before is proven dead, or final and without effect.
//!
//! Lock order: chain transaction, payout, choice of a treasury, wallet.

mod addresses;
mod claim;
mod news;
mod outcome;
mod read;
mod request;

pub use addresses::{forget_address, list_address, listed_addresses};
pub(crate) use claim::NO_TREASURY_FITS;
pub use claim::{PayoutClaim, PayoutClaimed, SignedPayout, TreasuryRules, claim_payout_in_tx, payout_signed_in_tx};
pub(crate) use news::tell_in_tx;
pub(crate) use outcome::{adopt_in_tx, final_in_tx, give_up_in_tx, reverted_in_tx, sent_in_tx};
pub use outcome::{expire_undecided, fail_unsendable};
pub use read::{PayoutDetail, PayoutWithTransaction, detail, find, page, with_transactions};
pub use request::{AssetLimits, PayoutPolicy, RequestPayout, Requested, request};
pub(crate) use request::{PayBack, pay_back_in_tx};

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{EventType, NewPayoutEvent, Payout, PayoutState};
use kernel::{Asset, IdGen, PayoutId};
use ledger::movements::payout_void_in_tx;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::DomainError;
use crate::orders::guarded;

/// Adds a line to a payout's timeline, in the transaction of what happened.
pub(crate) async fn note_in_tx(
    conn: &mut Conn,
    (payout, state): (Uuid, PayoutState),
    event: &str,
    actor: &str,
    detail: Value,
    at: DateTime<Utc>,
) -> Result<(), DomainError> {
    Ok(NewPayoutEvent {
        payout_id: payout,
        at,
        event,
        state,
        actor,
        detail,
    }
    .insert(conn)
    .await?)
}

async fn lock(conn: &mut Conn, id: Uuid) -> Result<Payout, DomainError> {
    Payout::lock(conn, id).await?.ok_or(DomainError::NotFound("payout"))
}

/// What a row says it is of.
fn asset_of(payout: &Payout) -> Result<Asset, DomainError> {
    payout
        .asset
        .parse()
        .map_err(|_| DomainError::Broken(format!("the asset of payout {}", payout.id)))
}

/// Ends a payout that is not paid, and gives its money back. The caller holds its row, and no transaction of it can land
/// any more. The actor is a person's or a key's where one refused it.
///
/// # Errors
/// When the payout is not in the state that the caller saw, or the database fails.
pub(crate) async fn give_back_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    payout: &Payout,
    (to, code): (PayoutState, &str),
    (actor, why): (&str, Option<&str>),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let moved = Payout::set_state(conn, payout.id, (payout.state, to), Some(code), now).await?;
    guarded(moved, "payout", payout.id)?;
    let refused_by = (to == PayoutState::Rejected).then_some(actor);
    payout_void_in_tx(conn, PayoutId(payout.id), refused_by, now).await?;
    let detail = json!({ "code": code, "reason": why });
    note_in_tx(conn, (payout.id, to), to.word(), actor, detail, now).await?;
    let told = if to == PayoutState::Rejected {
        EventType::PayoutRejected
    } else {
        EventType::PayoutFailed
    };
    tell_in_tx(conn, ids, told, (payout.id, None), now).await
}
