//! After a transaction's death: the delegation is given up or stays to be reclaimed, and the order goes back to work or
//! ends.

use chain::Refusal;
use chrono::{DateTime, Duration, Utc};
use db::Conn;
use db::models::{
    BlockRow, ChainTransaction, DeathCause, Delegation, DelegationState, IntentKind, Order, OrderState, ReceiverCheck,
    SupplierWallet, Verdict,
};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::{DelegationId, IdGen, OrderId};
use serde_json::json;

use super::claim::lock;
use crate::findings::{self, FindingKind};
use crate::orders::{Event, fail_in_tx, guarded, note_in_tx};
use crate::wallets::recount_reserved_in_tx;
use crate::{DomainError, WORKER, receivers};

/// How much failure is borne.
#[derive(Debug, Clone)]
pub struct DeathPolicy {
    /// Delegations tried for one order before it is refunded.
    pub max_attempts: i32,
    /// Dead transactions of one wallet, without a success between, before it is isolated.
    pub isolate_after: i32,
    /// Wait before the next attempt for the same order.
    pub retry_after: Duration,
}

/// Sends the intent of a dead transaction back to work, or ends it.
///
/// # Errors
/// When a row is not in the state that a live transaction implies, or the database fails.
pub async fn after_death_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transaction: &ChainTransaction,
    (cause, refusal): (&'static str, Option<Refusal>),
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let delegation = lock(conn, DelegationId(transaction.intent_id)).await?;
    let mut wakes = match transaction.intent_kind {
        IntentKind::Delegate => {
            give_up_in_tx(conn, ids, transaction, &delegation, (cause, refusal), policy, now).await?
        }
        IntentKind::Reclaim => retry_reclaim_in_tx(conn, ids, transaction, &delegation, policy, now).await?,
    };
    if nothing_landed_meanwhile(conn, transaction, cause).await? {
        let detail = json!({ "txid": transaction.txid, "expired_at": transaction.expires_at });
        findings::record_in_tx(conn, ids, FindingKind::NothingLands, &transaction.network, detail, now).await?;
    } else if !is_innocent(refusal) {
        count_failure_in_tx(conn, ids, transaction, policy, now).await?;
    }
    let wallet = transaction.wallet_id.to_string();
    let sync = JobRequest {
        kind: JobKind::WalletsSync,
        object_id: &wallet,
        run_at: now,
        now,
    };
    wakes.extend(enqueue_in_tx(conn, sync).await?);
    Ok(wakes)
}

/// Whether the wallet had no part in it: the receiver cannot receive, or our view of the chain was old.
const fn is_innocent(refusal: Option<Refusal>) -> bool {
    use Refusal::{BadReference, ReceiverIsContract, ReceiverNotActivated};
    matches!(refusal, Some(ReceiverNotActivated | ReceiverIsContract | BadReference))
}

/// What lands does so within this time of being signed, or so.
const LANDS_WITHIN: Duration = Duration::seconds(10);

/// Whether a transaction expired in a time in which no block carried any transaction of ours. Nodes that take
/// transactions and lose them do so to every wallet; to isolate all of them for it would make a short outage a long one.
/// What landed in the moment of signing says nothing: the outage may have begun just then.
async fn nothing_landed_meanwhile(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    cause: &str,
) -> Result<bool, DomainError> {
    if cause != DeathCause::Expired.word() {
        return Ok(false);
    }
    let signed = DateTime::from_timestamp_millis(transaction.timestamp_ms).unwrap_or(transaction.created_at);
    let (from, until) = (signed + LANDS_WITHIN, transaction.expires_at);
    Ok(!BlockRow::any_of_ours(conn, &transaction.network, from, until).await?)
}

/// The delegation can never be: its stake is free again, and its order tries anew, waits no longer, or is refunded.
async fn give_up_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transaction: &ChainTransaction,
    delegation: &Delegation,
    (cause, refusal): (&'static str, Option<Refusal>),
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
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
    let detail = json!({ "txid": transaction.txid, "cause": cause, "code": transaction.last_code });
    let event = Event {
        order: id,
        event: "attempt_failed",
        state: order.state,
        actor: WORKER,
        detail,
    };
    note_in_tx(conn, event, now).await?;
    if let Some(verdict) = verdict_of(refusal) {
        let check = ReceiverCheck {
            network: order.network.clone(),
            address: order.receiver.clone(),
            verdict,
            checked_at: now,
        };
        check.upsert(conn).await?;
        let reason = receivers::refusal_code(verdict).unwrap_or("receiver_refused");
        fail_in_tx(conn, ids, id, OrderState::Processing, reason, now).await?;
        return Ok(Vec::new());
    }
    if order.attempts >= policy.max_attempts || order.deadline_at <= now {
        let reason = if order.deadline_at <= now {
            "deadline_passed"
        } else {
            "attempts_exhausted"
        };
        fail_in_tx(conn, ids, id, OrderState::Processing, reason, now).await?;
        return Ok(Vec::new());
    }
    let reason = Some("attempt_failed");
    let moved = Order::set_state(conn, order.id, OrderState::Processing, OrderState::Pending, reason, now).await?;
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
async fn retry_reclaim_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transaction: &ChainTransaction,
    delegation: &Delegation,
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
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

async fn count_failure_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transaction: &ChainTransaction,
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let reason = format!(
        "{} transactions failed; the last was {}",
        policy.isolate_after, transaction.txid
    );
    if SupplierWallet::count_failure(conn, transaction.wallet_id, policy.isolate_after, &reason, now).await? {
        let subject = format!("wallet:{}", transaction.wallet_id);
        findings::record_in_tx(
            conn,
            ids,
            FindingKind::WalletIsolated,
            &subject,
            json!({ "reason": reason }),
            now,
        )
        .await?;
    }
    Ok(())
}
