//! After a transaction's death: the delegation is given up or stays to be reclaimed, and the order goes back to work or
//! ends.

use chain::Refusal;
use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{ChainTransaction, Delegation, DelegationState, Order, OrderState, ReceiverCheck, Verdict};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::{DelegationId, IdGen, OrderId};
use serde_json::json;

use super::claim::lock;
use super::parts::fail_incomplete_in_tx;
use crate::findings::{self, FindingKind};
use crate::intents::{Cause, DeathPolicy};
use crate::orders::{Event, guarded, note_in_tx};
use crate::wallets::recount_reserved_in_tx;
use crate::{DomainError, WORKER, receivers};

/// The delegation can never be: its stake is free again, and its order tries anew, waits no longer, or is refunded. Of an
/// order in parts, one is tried anew while the others stay.
pub(crate) async fn give_up_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transaction: &ChainTransaction,
    cause: Cause,
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let locked = Delegation::lock_with_parts(conn, &[transaction.intent_id]).await?;
    let delegation = locked.iter().find(|row| row.id == transaction.intent_id);
    let delegation = delegation.ok_or(DomainError::NotFound("delegation"))?;
    let (from, to) = (DelegationState::Reserved, DelegationState::Released);
    guarded(
        Delegation::set_state(conn, delegation.id, from, to, now).await?,
        "delegation",
        delegation.id,
    )?;
    let order = Order::lock(conn, delegation.order_id)
        .await?
        .ok_or(DomainError::NotFound("order"))?;
    recount_reserved_in_tx(conn, delegation.wallet_id, now).await?;
    let id = OrderId(order.id);
    let detail = json!({ "txid": transaction.txid, "cause": cause.word, "code": transaction.last_code });
    let event = Event {
        order: id,
        event: "attempt_failed",
        state: order.state,
        actor: WORKER,
        detail,
    };
    note_in_tx(conn, event, now).await?;
    if delegation.stray {
        return Ok(Vec::new()); // its order has ended without it
    }
    if let Some(verdict) = verdict_of(cause.refusal) {
        let check = ReceiverCheck {
            network: order.network.clone(),
            address: order.receiver.clone(),
            verdict,
            checked_at: now,
        };
        check.upsert(conn).await?;
        let reason = receivers::refusal_code(verdict).unwrap_or("receiver_refused");
        fail_incomplete_in_tx(conn, ids, id, reason, now).await?;
        return Ok(Vec::new());
    }
    if order.attempts >= policy.max_attempts || order.deadline_at <= now {
        let reason = if order.deadline_at <= now {
            "deadline_passed"
        } else {
            "attempts_exhausted"
        };
        fail_incomplete_in_tx(conn, ids, id, reason, now).await?;
        return Ok(Vec::new());
    }
    let reason = "attempt_failed";
    // asked under the order's lock: a part may have been claimed while we waited for it
    let others = delegation.partial && Delegation::kept_of_order(conn, order.id).await?.1 > 0;
    let moved = if others {
        Order::set_reason(conn, order.id, reason, now).await? // the other parts stay, and this one is made anew
    } else {
        let (from, to) = (OrderState::Processing, OrderState::Pending);
        Order::set_state(conn, order.id, from, to, Some(reason), now).await?
    };
    guarded(moved, "order", order.id)?;
    // the first failure may be a stale figure of one wallet: go on at once; later ones wait
    let run_at = if order.attempts <= 1 {
        now
    } else {
        now + policy.retry_after
    };
    let job = JobRequest {
        kind: JobKind::OrdersDelegate,
        object_id: &id.to_string(),
        run_at,
        now,
    };
    Ok(enqueue_in_tx(conn, job).await?.into_iter().collect())
}

const fn verdict_of(refusal: Option<Refusal>) -> Option<Verdict> {
    match refusal {
        Some(Refusal::ReceiverNotActivated) => Some(Verdict::NotActivated),
        Some(Refusal::ReceiverIsContract) => Some(Verdict::Contract),
        _ => None,
    }
}

/// The delegation is still on chain: the reclaim alarms and keeps trying.
pub(crate) async fn retry_reclaim_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transaction: &ChainTransaction,
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let delegation = lock(conn, DelegationId(transaction.intent_id)).await?;
    let (from, to) = (DelegationState::Reclaiming, DelegationState::Active);
    guarded(
        Delegation::set_state(conn, delegation.id, from, to, now).await?,
        "delegation",
        delegation.id,
    )?;
    let subject = format!("delegation:{}", delegation.id);
    let detail =
        json!({ "txid": transaction.txid, "code": transaction.last_code, "message": transaction.last_message });
    findings::record_in_tx(conn, ids, FindingKind::ReclaimFails, &subject, detail, now).await?;
    let object_id = delegation.id.to_string();
    let run_at = now + policy.retry_after;
    let job = JobRequest {
        kind: JobKind::DelegationsReclaim,
        object_id: &object_id,
        run_at,
        now,
    };
    Ok(enqueue_in_tx(conn, job).await?.into_iter().collect())
}
