//! What a transaction is for, and whom its fate is told: a delegation, a payout, a sweep, or a staking. Here is what all of them
//! share.

use std::collections::BTreeSet;

use chain::{BlockRef, Refusal, TransactionSeen, TxOutcome};
use chrono::{DateTime, Duration, Utc};
use db::Conn;
use db::models::{
    BlockRow, ChainCursor, ChainTransaction, DeathCause, Inclusion, IntentKind, Outcome, SupplierWallet, TxState,
};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx, enqueue_many_in_tx};
use kernel::{Amount, IdGen};
use ledger::movements::ChainFee;
use serde_json::json;
use uuid::Uuid;

use crate::findings::{self, FindingKind};
use crate::orders::guarded;
use crate::wallets::isolate_in_tx;
use crate::{DomainError, delegations, payouts, stakings, sweeps};

/// How much failure is borne.
#[derive(Debug, Clone)]
pub struct DeathPolicy {
    /// Delegations tried for one order before it is refunded.
    pub max_attempts: i32,
    /// Transactions tried for one payout before its money is given back.
    pub payout_attempts: i32,
    /// Transactions tried for one staking before it has failed.
    pub staking_attempts: i32,
    /// Dead transactions of one wallet, without a success between, before it is isolated.
    pub isolate_after: i32,
    /// How long they count.
    pub failure_window: Duration,
    /// After which an isolated wallet is tried again; it doubles with each time that this fails, up to a day.
    pub probation_after: Duration,
    /// Wait before the next attempt for the same order or payout.
    pub retry_after: Duration,
}

/// A wallet that fails whenever it is tried is tried once a day.
const LONGEST_PAUSE: Duration = Duration::days(1);

impl DeathPolicy {
    /// The pause before a wallet that was tried in vain so often is tried again.
    fn probation_pause(&self, tried: i32) -> Duration {
        let doublings = u32::try_from(tried.clamp(0, 16)).unwrap_or(16);
        let doubled = self.probation_after.checked_mul(1_i32 << doublings);
        doubled.unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
    }
}

/// Why an attempt came to nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause {
    /// A cause of death, or [`FAILED_ON_CHAIN`].
    pub(crate) word: &'static str,
    /// What a node said against it, if that is why.
    pub(crate) refusal: Option<Refusal>,
}

/// A block carries it, and it did nothing there.
pub(crate) const FAILED_ON_CHAIN: &str = "failed_on_chain";

/// A transaction of ours in a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Landed<'a> {
    pub(crate) transaction: &'a ChainTransaction,
    pub(crate) block: &'a BlockRef,
    pub(crate) seen: &'a TransactionSeen,
}

impl Landed<'_> {
    pub(crate) const fn outcome(&self) -> Outcome {
        match self.seen.outcome {
            TxOutcome::Ok => Outcome::Ok,
            TxOutcome::Failed => Outcome::Failed,
        }
    }

    fn does(&self, kind: IntentKind) -> bool {
        self.transaction.intent_kind == kind && self.outcome() == Outcome::Ok
    }
}

/// Blocks carry transactions of ours. The caller holds the transactions' rows.
pub(crate) async fn included_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    landed: &[Landed<'_>],
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let mut new = Vec::with_capacity(landed.len());
    for one in landed {
        match one.transaction.state {
            TxState::Signed | TxState::Sent => new.push(*one),
            TxState::Included | TxState::Final => {}
            TxState::Dead => report_in_tx(conn, ids, one, now).await?,
        }
    }
    let rows: Vec<Inclusion<'_>> = new.iter().map(inclusion).collect();
    let moved = ChainTransaction::set_included(conn, &rows, now).await?;
    all_moved(moved, rows.len(), "chain transactions")?;
    for one in &new {
        metrics::counter!("switchyard_chain_transactions_included_total",
            "intent" => one.transaction.intent_kind.word(), "outcome" => one.outcome().word())
        .increment(1);
    }
    // one that failed did nothing; once that is final, its intent goes back to work
    let of = |kind| {
        new.iter()
            .filter(move |one| one.does(kind))
            .copied()
            .collect::<Vec<_>>()
    };
    // before anything locks a wallet, as whoever claims a staking
    stakings::sent_in_tx(conn, &of(IntentKind::Stake), now).await?;
    delegations::made_in_tx(conn, ids, &of(IntentKind::Delegate), now).await?;
    delegations::undone_in_tx(conn, ids, &of(IntentKind::Reclaim), now).await?;
    payouts::sent_in_tx(conn, ids, &of(IntentKind::Payout), now).await?;
    sweeps::sent_in_tx(conn, &of(IntentKind::Sweep), now).await?;
    let worked = new.iter().filter(|one| one.outcome() == Outcome::Ok);
    let worked: BTreeSet<Uuid> = worked.map(|one| one.transaction.wallet_id).collect();
    let worked: Vec<Uuid> = worked.into_iter().collect();
    SupplierWallet::clear_failures(conn, &worked).await?;
    // a deposit address is read when it is collected, and not before
    let collected = new
        .iter()
        .filter(|one| one.transaction.intent_kind == IntentKind::Sweep);
    let collected: BTreeSet<Uuid> = collected.map(|one| one.transaction.wallet_id).collect();
    let read: Vec<Uuid> = worked
        .into_iter()
        .filter(|wallet| !collected.contains(wallet))
        .collect();
    sync_soon_in_tx(conn, &read, now).await
}

/// One that we held for dead.
async fn report_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    landed: &Landed<'_>,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let transaction = landed.transaction;
    let subject = format!("transaction:{}", transaction.txid);
    let object = match transaction.intent_kind {
        IntentKind::Delegate | IntentKind::Reclaim => "delegation",
        IntentKind::Payout => "payout",
        IntentKind::Sweep | IntentKind::Activate => "sweep",
        IntentKind::Stake => "staking",
    };
    let detail = json!({
        "block": landed.block.number,
        "intent": transaction.intent_kind,
        object: transaction.intent_id,
    });
    findings::record_in_tx(conn, ids, FindingKind::DeadTransactionLanded, &subject, detail, now).await
}

/// The row's part of it.
pub(crate) fn inclusion<'a>(landed: &Landed<'a>) -> Inclusion<'a> {
    Inclusion {
        id: landed.transaction.id,
        block_number: landed.block.number,
        block_id: &landed.block.id,
        block_time: landed.block.time,
        outcome: landed.outcome(),
        fee_sun: landed.seen.fee_sun,
        energy_used: landed.seen.energy_used,
        bandwidth_used: landed.seen.bandwidth_used,
    }
}

/// What a transaction burned, where that is known.
pub(crate) fn fee_of(tx: &ChainTransaction, fee_sun: Option<i64>) -> Result<ChainFee, DomainError> {
    let network = tx.network.parse();
    Ok(ChainFee {
        txid: tx.txid.clone(),
        network: network.map_err(|_| DomainError::Broken(format!("the network of transaction {}", tx.txid)))?,
        amount: Amount::from_minor(fee_sun.unwrap_or(0))
            .map_err(|_| DomainError::Broken(format!("the fee of transaction {}", tx.txid)))?,
    })
}

pub(crate) fn all_moved(moved: usize, of: usize, what: &str) -> Result<(), DomainError> {
    guarded(moved == of, what, format_args!("({moved} of {of})"))
}

/// How long after a block of ours its wallets are read: by then every node shows the block, and several transactions
/// share a read.
const SYNC_DELAY: Duration = Duration::seconds(15);

/// After transactions of ours the wallets' figures are old.
pub(crate) async fn sync_soon_in_tx(
    conn: &mut Conn,
    wallets: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let wallets: Vec<String> = wallets.iter().map(Uuid::to_string).collect();
    let syncs: Vec<JobRequest<'_>> = wallets
        .iter()
        .map(|wallet| JobRequest {
            kind: JobKind::WalletsSync,
            object_id: wallet,
            run_at: now + SYNC_DELAY,
            now,
        })
        .collect();
    Ok(enqueue_many_in_tx(conn, &syncs).await?)
}

/// The block that carried a transaction was reverted; the transaction may land again. The caller holds its row. Answers
/// whether its wallet's figures are old now.
pub(crate) async fn reverted_in_tx(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    now: DateTime<Utc>,
) -> Result<bool, DomainError> {
    let did_something = transaction.outcome == Some(Outcome::Ok);
    let moved = ChainTransaction::set_reverted(conn, transaction.id, now).await?;
    guarded(moved, "chain transaction", transaction.id)?;
    metrics::counter!("switchyard_chain_transactions_reverted_total", "intent" => transaction.intent_kind.word())
        .increment(1);
    if did_something {
        match transaction.intent_kind {
            IntentKind::Delegate | IntentKind::Reclaim => delegations::reverted_in_tx(conn, transaction, now).await?,
            IntentKind::Payout => payouts::reverted_in_tx(conn, transaction, now).await?,
            IntentKind::Sweep | IntentKind::Activate => sweeps::reverted_in_tx(conn, transaction, now).await?,
            IntentKind::Stake => stakings::reverted_in_tx(conn, transaction, now).await?,
        }
    }
    Ok(did_something && transaction.intent_kind != IntentKind::Sweep)
}

/// Whether a refusal of the very first send proves a death. A node that lies about it costs a delegation that the reclaim
/// takes back. A second reclaim would take what another rental of the same receiver still needs, a payment that was made
/// twice comes back from nobody, and what was staked twice only after weeks: all of them wait for their expiry.
pub(crate) const fn dies_of_refusal(kind: IntentKind) -> bool {
    match kind {
        IntentKind::Delegate => true,
        IntentKind::Reclaim | IntentKind::Payout | IntentKind::Sweep | IntentKind::Activate | IntentKind::Stake => {
            false
        }
    }
}

/// Sends the intent of a dead transaction back to work, or ends it.
///
/// # Errors
/// When a row is not in the state that a live transaction implies, or the database fails.
pub(crate) async fn after_death_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transaction: &ChainTransaction,
    cause: Cause,
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    let mut wakes = match transaction.intent_kind {
        IntentKind::Delegate => delegations::give_up_in_tx(conn, ids, transaction, cause, policy, now).await?,
        IntentKind::Reclaim => delegations::retry_reclaim_in_tx(conn, ids, transaction, policy, now).await?,
        IntentKind::Payout => payouts::give_up_in_tx(conn, ids, transaction, cause, policy, now).await?,
        IntentKind::Sweep | IntentKind::Activate => {
            let wake = sweeps::give_up_in_tx(conn, transaction, cause, policy, now).await?;
            wake.into_iter().collect()
        }
        IntentKind::Stake => {
            let wake = stakings::give_up_in_tx(conn, ids, transaction, cause, policy, now).await?;
            wake.into_iter().collect()
        }
    };
    if nothing_landed_meanwhile(conn, transaction, cause.word).await? {
        let detail = json!({ "txid": transaction.txid, "expired_at": transaction.expires_at });
        findings::record_in_tx(conn, ids, FindingKind::NothingLands, &transaction.network, detail, now).await?;
    } else if !is_innocent(transaction, cause) {
        count_failure_in_tx(conn, ids, transaction, policy, now).await?;
    }
    if transaction.intent_kind == IntentKind::Sweep {
        return Ok(wakes);
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

/// Whether the wallet had no part in it: the receiver cannot receive, our view of the chain was old, a payout was refused or a
/// contract that it called said no, or it is a deposit address, which nothing is chosen for. Else one address that takes nothing
/// would isolate every treasury wallet. What is staked says nothing of how the wallet lends: its permission may be for that alone.
fn is_innocent(transaction: &ChainTransaction, cause: Cause) -> bool {
    use Refusal::{BadReference, ReceiverIsContract, ReceiverNotActivated};
    let refused = matches!(
        cause.refusal,
        Some(ReceiverNotActivated | ReceiverIsContract | BadReference)
    );
    refused
        || match transaction.intent_kind {
            IntentKind::Sweep | IntentKind::Stake => true,
            IntentKind::Payout => cause.word == FAILED_ON_CHAIN || transaction.refused,
            IntentKind::Delegate | IntentKind::Reclaim | IntentKind::Activate => false,
        }
}

/// What lands does so within this time of being signed, or so.
const LANDS_WITHIN: Duration = Duration::seconds(10);

/// Whether a transaction expired in a time in which no block carried any transaction of ours. Nodes that take
/// transactions and lose them do so to every wallet; to isolate all of them for it would make a short outage a long one.
/// What landed in the moment of signing says nothing: the outage may have begun just then. Nor does one of which a node says
/// that it is at fault itself.
async fn nothing_landed_meanwhile(
    conn: &mut Conn,
    transaction: &ChainTransaction,
    cause: &str,
) -> Result<bool, DomainError> {
    if cause != DeathCause::Expired.word() || transaction.refused {
        return Ok(false);
    }
    let signed = DateTime::from_timestamp_millis(transaction.timestamp_ms).unwrap_or(transaction.created_at);
    let (from, until) = (signed + LANDS_WITHIN, transaction.expires_at);
    Ok(!BlockRow::any_of_ours(conn, &transaction.network, from, until).await?)
}

async fn count_failure_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    transaction: &ChainTransaction,
    policy: &DeathPolicy,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let since = now - policy.failure_window;
    let counted = SupplierWallet::count_failure(conn, transaction.wallet_id, since, now).await?;
    if counted.failures >= policy.isolate_after {
        let reason = format!(
            "{} transactions failed; the last was {}",
            counted.failures, transaction.txid
        );
        let probation_at = now + policy.probation_pause(counted.probations);
        isolate_in_tx(conn, ids, transaction.wallet_id, (&reason, Some(probation_at)), now).await?;
    }
    Ok(())
}

/// The watcher must have heard of the chain within so many seconds.
const HEARD_WITHIN_S: i32 = 60;
/// The newest block has to be this young: who stands still for longer shows nothing of what the network does.
const MADE_WITHIN_S: i32 = 300;
/// And have applied all but so many blocks.
const BEHIND_AT_MOST: i64 = 10;

/// Whether our view of a network is recent enough to sign on.
pub(crate) async fn is_current(conn: &mut Conn, network: &str) -> Result<bool, DomainError> {
    Ok(ChainCursor::is_current(conn, network, (HEARD_WITHIN_S, MADE_WITHIN_S), BEHIND_AT_MOST).await?)
}

/// A `raw_data.timestamp` that the wallet never signed with.
pub(crate) fn next_timestamp(cursor: &ChainCursor, wallet: &SupplierWallet) -> i64 {
    let head_ms = cursor.head_time.timestamp_millis();
    head_ms.max(wallet.last_timestamp_ms.saturating_add(1))
}
