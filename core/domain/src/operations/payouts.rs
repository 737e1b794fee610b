//! Deciding on payouts: approved or rejected by somebody else than who asked for them.

use chrono::{DateTime, Utc};
use db::models::{Action, EventType, Finding, Payout, PayoutState};
use db::{Conn, Pool, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::{IdGen, PayoutId};
use serde_json::json;

use super::{Command, Done, Instruction};
use crate::DomainError;
use crate::api_keys::may_be_one_in_tx;
use crate::findings::FindingKind;
use crate::orders::guarded;
use crate::payouts::{give_back_in_tx, note_in_tx, tell_in_tx};

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may be paid.
    Approve,
    /// It is not paid, and its money goes back.
    Reject,
}

/// Decides on a payout by hand. What waits for approval is approved or rejected; what is approved and not signed can still
/// be rejected. Of several decisions on one payout one has an effect: the row lock decides.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::OwnPayout`], [`DomainError::PayoutDecided`], [`DomainError::PayoutMayBePaid`], a reason that is missing or cannot
/// be kept, or a database failure.
pub async fn decide_payout(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    (id, decision): (PayoutId, Decision),
    now: DateTime<Utc>,
) -> Result<(Payout, Done), DomainError> {
    let action = match decision {
        Decision::Approve => Action::PayoutsApprove,
        Decision::Reject => Action::PayoutsReject,
    };
    let command = Command::new(ids, action, instruction, json!({ "object_id": id }), now)?;
    run_tx(pool, "decide_payout", async |conn| {
        let payout = Payout::lock(conn, id.0).await?.ok_or(DomainError::NotFound("payout"))?;
        let waits = match decision {
            Decision::Approve => payout.state == PayoutState::Requested,
            Decision::Reject => matches!(payout.state, PayoutState::Requested | PayoutState::Approved),
        };
        if instruction.dry_run {
            return Ok((payout, Done::counted(i64::from(waits))));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok((payout, done));
        }
        if !waits {
            return Err(DomainError::PayoutDecided(payout.state));
        }
        let wakes = match decision {
            Decision::Approve => approve_in_tx(conn, ids, &payout, instruction, now).await?,
            Decision::Reject => {
                refuse_if_landed(conn, &payout).await?;
                let why = (instruction.actor.as_str(), instruction.reason.as_deref());
                give_back_in_tx(conn, ids, &payout, (PayoutState::Rejected, "rejected"), why, now).await?;
                Vec::new()
            }
        };
        let object = json!({
            "object_id": id,
            "state": payout.state,
            "user_id": payout.user_id,
            "asset": payout.asset,
            "amount": payout.amount,
            "to": payout.to_address,
        });
        let done = command.done_in_tx(conn, 1, vec![object], wakes).await?;
        let payout = Payout::find(conn, id.0).await?.ok_or(DomainError::NotFound("payout"))?;
        Ok((payout, done))
    })
    .await
}

/// A transaction of it that was held for dead is in a block: its money may be gone, and is not given back before an operator
/// has looked at that.
async fn refuse_if_landed(conn: &mut Conn, payout: &Payout) -> Result<(), DomainError> {
    let kind = FindingKind::DeadTransactionLanded.word();
    if Finding::any_about_dead_of(conn, kind, payout.id, true).await? {
        return Err(DomainError::PayoutMayBePaid);
    }
    Ok(())
}

async fn approve_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    payout: &Payout,
    instruction: &Instruction,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let by = instruction.actor.as_str();
    if may_be_one_in_tx(conn, &payout.requested_by, by).await? {
        return Err(DomainError::OwnPayout);
    }
    guarded(
        Payout::set_approved(conn, payout.id, by, now).await?,
        "payout",
        payout.id,
    )?;
    let detail = json!({ "reason": instruction.reason });
    note_in_tx(conn, (payout.id, PayoutState::Approved), "approved", by, detail, now).await?;
    tell_in_tx(conn, ids, EventType::PayoutApproved, (payout.id, None), now).await?;
    let job = JobRequest {
        kind: JobKind::PayoutsSend,
        object_id: &payout.id.to_string(),
        run_at: now,
        now,
    };
    Ok(enqueue_in_tx(conn, job).await?.into_iter().collect())
}
