//! Claiming a sweep to sign for it: what was decided by a read of the chain is looked at again under the sweep's lock.

use chrono::{DateTime, Utc};
use db::models::{
    ACTIVATION_FEE_SUN, ChainCursor, Collected, Finding, IncomingTransfer, IntentKind, SupplierWallet, Sweep,
    SweepState, Switch, TreasuryWish, WalletPurpose, lock_treasury,
};
use db::{Conn, Pool, run_tx};
use kernel::{ChainTransactionId, SweepId, WalletId};
use serde_json::json;
use uuid::Uuid;

use super::decide::BELOW_THRESHOLD;
use super::{lock, note_in_tx};
use crate::findings::{self, FindingKind};
use crate::intents::{is_current, next_timestamp};
use crate::orders::guarded;
use crate::transactions::{Intent, Signed, ToStore, store_in_tx};
use crate::{DomainError, WORKER};

/// What is to be collected, as it was decided.
#[derive(Debug, Clone, Copy)]
pub struct ToCollect<'a> {
    /// The sweep as it was when the chain was read.
    pub seen: &'a Sweep,
    /// In minor units.
    pub amount: i64,
    /// What stays at the address for certain, in minor units.
    pub left: i64,
    /// The treasury wallet that it goes to.
    pub to: &'a SupplierWallet,
    /// What the call may burn, in sun; 0 for coin.
    pub fee_limit_sun: i64,
    /// The head just before the balance was read.
    pub as_of_block: i64,
    /// Every block up to it was certainly in the balance.
    pub read_block: i64,
    /// Until when the energy that it uses is there; `None` for coin.
    pub energy_until: Option<DateTime<Utc>>,
    /// How long what is signed may land.
    pub life: chrono::Duration,
}

/// The coin that brings an address into being.
#[derive(Debug, Clone, Copy)]
pub struct Activation {
    /// How much, in sun.
    pub sun: i64,
    /// What stays in a treasury wallet, in sun.
    pub fee_reserve_sun: i64,
}

/// What came of a claim.
#[derive(Debug)]
pub enum SweepClaim {
    /// It is not as it was seen any more: there is nothing to do.
    NothingToDo,
    /// It cannot be signed now, for this reason.
    Wait(&'static str),
    /// To be signed and stored before the commit.
    Claimed(Box<SweepClaimed>),
}

/// A transaction of a sweep to sign.
#[derive(Debug)]
pub struct SweepClaimed {
    /// The sweep as it was before.
    pub sweep: Sweep,
    /// What the transaction is for: [`IntentKind::Sweep`] or [`IntentKind::Activate`].
    pub kind: IntentKind,
    /// The wallet that signs, locked: the deposit address's, or a treasury wallet.
    pub wallet: SupplierWallet,
    /// Where it goes.
    pub to: String,
    /// In minor units.
    pub amount: i64,
    /// What the call may burn, in sun; 0 for coin.
    pub fee_limit_sun: i64,
    /// Every block up to it was in the balance that was read; 0 where none was.
    pub read_block: i64,
    /// `raw_data.timestamp` to sign with, never used by this wallet before.
    pub timestamp_ms: i64,
    /// The network's state as the watcher stored it: reference block and clock.
    pub cursor: ChainCursor,
}

/// Claims a sweep to collect. Of several claims of one sweep one gets it: the row lock decides.
///
/// # Errors
/// When rows are missing, or the database fails.
pub async fn claim_sweep_in_tx(
    conn: &mut Conn,
    collect: &ToCollect<'_>,
    now: DateTime<Utc>,
) -> Result<SweepClaim, DomainError> {
    let seen = collect.seen;
    let sweep = lock(conn, seen.id).await?;
    if (sweep.state, sweep.order_id, sweep.attempts) != (seen.state, seen.order_id, seen.attempts)
        || !matches!(sweep.state, SweepState::Planned | SweepState::Renting)
    {
        return Ok(SweepClaim::NothingToDo);
    }
    let cursor = match ready(conn, &sweep, IntentKind::Sweep, now).await? {
        Ok(cursor) => cursor,
        Err(code) => return Ok(SweepClaim::Wait(code)),
    };
    // a node that lags behind what is final by our own reading may show what was collected before
    if collect.as_of_block < cursor.solid_number {
        return wait_in_tx(conn, &sweep, NODE_BEHIND, now).await;
    }
    let must_last = cursor.head_time + collect.life;
    if collect.energy_until.is_some_and(|until| until <= must_last) {
        return wait_in_tx(conn, &sweep, "energy_over", now).await;
    }
    let to = SupplierWallet::find(conn, collect.to.id).await?;
    let to = to.filter(|to| to.enabled && to.isolated_at.is_none() && to.purpose == WalletPurpose::Treasury);
    let Some(to) = to.and_then(|to| to.address) else {
        return wait_in_tx(conn, &sweep, "no_treasury_receives", now).await;
    };
    let wallet = SupplierWallet::lock(conn, sweep.wallet_id).await?;
    let wallet = wallet.ok_or(DomainError::NotFound("wallet"))?;
    let timestamp_ms = next_timestamp(&cursor, &wallet);
    SupplierWallet::set_timestamp(conn, wallet.id, timestamp_ms).await?;
    let signed = Collected {
        amount: collect.amount,
        to_address: &to,
        read_block: collect.read_block,
        left: collect.left,
    };
    let moved = Sweep::set_processing(conn, sweep.id, signed, now).await?;
    guarded(moved, "sweep", sweep.id)?;
    let subject = format!("sweep:{}", sweep.id);
    findings::clear_in_tx(conn, FindingKind::SweepEnergy, &subject, now).await?;
    Ok(SweepClaim::Claimed(Box::new(SweepClaimed {
        sweep,
        kind: IntentKind::Sweep,
        wallet,
        to,
        amount: collect.amount,
        fee_limit_sun: collect.fee_limit_sun,
        read_block: collect.read_block,
        timestamp_ms,
        cursor,
    })))
}

/// Claims a planned sweep whose address does not exist, for a treasury wallet to send it coin.
///
/// # Errors
/// When rows are missing, or the database fails.
pub async fn claim_activation_in_tx(
    conn: &mut Conn,
    id: SweepId,
    activation: Activation,
    now: DateTime<Utc>,
) -> Result<SweepClaim, DomainError> {
    let sweep = lock(conn, id.0).await?;
    if sweep.state != SweepState::Planned {
        return Ok(SweepClaim::NothingToDo);
    }
    let cursor = match ready(conn, &sweep, IntentKind::Activate, now).await? {
        Ok(cursor) => cursor,
        Err(code) => return Ok(SweepClaim::Wait(code)),
    };
    let address = SupplierWallet::find(conn, sweep.wallet_id).await?;
    let address = address.and_then(|wallet| wallet.address);
    let to = address.ok_or_else(|| DomainError::Broken(format!("the wallet of sweep {id}")))?;
    let Some(wallet) = paying_treasury(conn, &sweep.network, &to, activation).await? else {
        return wait_in_tx(conn, &sweep, "no_treasury_fits", now).await;
    };
    let timestamp_ms = next_timestamp(&cursor, &wallet);
    SupplierWallet::set_timestamp(conn, wallet.id, timestamp_ms).await?;
    let moved = Sweep::set_activating(conn, sweep.id, activation.sun, now).await?;
    guarded(moved, "sweep", sweep.id)?;
    Ok(SweepClaim::Claimed(Box::new(SweepClaimed {
        sweep,
        kind: IntentKind::Activate,
        wallet,
        to,
        amount: activation.sun,
        fee_limit_sun: 0,
        read_block: 0,
        timestamp_ms,
        cursor,
    })))
}

/// Whoever was asked does not know the newest solidified block yet.
const NODE_BEHIND: &str = "node_behind";

/// The network's state to sign on, or what stands against signing at all.
async fn ready(
    conn: &mut Conn,
    sweep: &Sweep,
    kind: IntentKind,
    now: DateTime<Utc>,
) -> Result<Result<ChainCursor, &'static str>, DomainError> {
    // what leaves the treasury stops with everything that leaves it
    let stopped = Switch::is_on(conn, Switch::SWEEPS).await?
        || (kind == IntentKind::Activate && Switch::is_on(conn, Switch::PAYOUTS).await?);
    let code = if stopped {
        "sweeps_stopped"
    } else if !is_current(conn, &sweep.network).await? {
        "chain_not_current"
    } else if dead_landed(conn, sweep.id).await? {
        // a node lied: this may be collected already, and an operator has to look
        "dead_transaction_landed"
    } else {
        let cursor = ChainCursor::find(conn, &sweep.network).await?;
        return cursor.map(Ok).ok_or(DomainError::NotFound("network"));
    };
    Sweep::set_reason(conn, sweep.id, code, now).await?;
    Ok(Err(code))
}

async fn dead_landed(conn: &mut Conn, sweep: Uuid) -> Result<bool, DomainError> {
    let kind = FindingKind::DeadTransactionLanded.word();
    Ok(Finding::any_about_dead_of(conn, kind, sweep, false).await?)
}

/// The treasury wallet that can spare it, locked; looked at again under its lock, as for a payout.
async fn paying_treasury(
    conn: &mut Conn,
    network: &str,
    to: &str,
    activation: Activation,
) -> Result<Option<SupplierWallet>, DomainError> {
    let Activation { sun, fee_reserve_sun } = activation;
    let wish = TreasuryWish {
        network,
        to,
        sun: sun.saturating_add(ACTIVATION_FEE_SUN).saturating_add(fee_reserve_sun),
        usdt_micro: 0,
        token_fee_limit_sun: fee_reserve_sun,
    };
    lock_treasury(conn).await?;
    let Some(id) = wish.find(conn, None).await? else {
        return Ok(None);
    };
    let wallet = SupplierWallet::lock(conn, id).await?;
    let still = wish.find(conn, Some(id)).await?.is_some();
    Ok(wallet.filter(|_| still))
}

async fn wait_in_tx(
    conn: &mut Conn,
    sweep: &Sweep,
    code: &'static str,
    now: DateTime<Utc>,
) -> Result<SweepClaim, DomainError> {
    Sweep::set_reason(conn, sweep.id, code, now).await?;
    Ok(SweepClaim::Wait(code))
}

/// A claim and what was signed for it.
#[derive(Debug, Clone, Copy)]
pub struct SignedSweep<'a> {
    /// The claim.
    pub claimed: &'a SweepClaimed,
    /// Id of the transaction's row.
    pub id: ChainTransactionId,
    /// The bytes.
    pub signed: &'a Signed,
}

/// Stores what was signed for a sweep, in the claim's transaction. Only after its commit may the bytes be sent.
///
/// # Errors
/// When the database refuses the transaction; the claim is then undone with it.
pub async fn sweep_signed_in_tx(
    conn: &mut Conn,
    new: &SignedSweep<'_>,
    (now, next_check_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), DomainError> {
    let SweepClaimed {
        sweep,
        kind,
        wallet,
        to,
        ..
    } = new.claimed;
    let row = ToStore {
        id: new.id,
        network: &sweep.network,
        intent: Intent {
            kind: *kind,
            id: sweep.id,
            wallet: WalletId(wallet.id),
        },
        signed: new.signed,
    };
    store_in_tx(conn, &[row], (now, next_check_at)).await?;
    let (state, event) = if *kind == IntentKind::Activate {
        (SweepState::Activating, "activation_signed")
    } else {
        (SweepState::Processing, "signed")
    };
    let detail = json!({
        "txid": new.signed.txid, "from": wallet.address, "to": to, "amount": new.claimed.amount,
        "fee_limit_sun": new.claimed.fee_limit_sun, "read_block": new.claimed.read_block,
    });
    note_in_tx(conn, (sweep.id, state), event, WORKER, detail, now).await
}

/// Notes why an open sweep waits.
///
/// # Errors
/// When the database fails.
pub async fn wait(pool: &Pool, id: SweepId, code: &str, now: DateTime<Utc>) -> Result<(), DomainError> {
    run_tx(pool, "wait_for_sweep", async |conn| {
        Sweep::set_reason(conn, id.0, code, now).await?;
        Ok(())
    })
    .await
}

/// Ends a planned sweep of which the chain says that there is not enough to collect. What was credited in the blocks that were
/// read is then no reason to look again. `blocks`: the one that the node was at, and the one up to which it counts. Answers
/// `false` where it is not over, since the node that was asked is behind what was credited.
///
/// # Errors
/// When the database fails.
pub async fn cancel(
    pool: &Pool,
    id: SweepId,
    blocks: (i64, i64),
    held_minor: i64,
    now: DateTime<Utc>,
) -> Result<bool, DomainError> {
    run_tx(pool, "cancel_sweep", async |conn| {
        cancel_empty_in_tx(conn, id, blocks, held_minor, now).await
    })
    .await
}

async fn cancel_empty_in_tx(
    conn: &mut Conn,
    id: SweepId,
    (as_of_block, read_block): (i64, i64),
    held_minor: i64,
    now: DateTime<Utc>,
) -> Result<bool, DomainError> {
    let sweep = lock(conn, id.0).await?;
    if sweep.state != SweepState::Planned {
        return Ok(true);
    }
    let cursor = ChainCursor::find(conn, &sweep.network).await?;
    if cursor.is_none_or(|cursor| as_of_block < cursor.solid_number) {
        Sweep::set_reason(conn, sweep.id, NODE_BEHIND, now).await?;
        return Ok(false);
    }
    let detail = json!({ "held": held_minor, "read_block": read_block });
    cancel_in_tx(conn, &sweep, (BELOW_THRESHOLD, WORKER), detail, now).await?;
    mark_in_tx(conn, &sweep, read_block, held_minor).await?;
    Ok(true)
}

/// Ends a planned sweep of which nothing can land any more. The caller holds its row.
pub(crate) async fn cancel_in_tx(
    conn: &mut Conn,
    sweep: &Sweep,
    (code, actor): (&str, &str),
    detail: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let arrow = (SweepState::Planned, SweepState::Cancelled);
    let moved = Sweep::set_state(conn, sweep.id, arrow, Some(code), now).await?;
    guarded(moved, "sweep", sweep.id)?;
    let subject = format!("sweep:{}", sweep.id);
    findings::clear_in_tx(conn, FindingKind::SweepEnergy, &subject, now).await?;
    note_in_tx(conn, (sweep.id, SweepState::Cancelled), "cancelled", actor, detail, now).await
}

/// What was credited at the sweep's address, up to a block, needs no other sweep; but for the newest of it that still lies there.
pub(super) async fn mark_in_tx(conn: &mut Conn, sweep: &Sweep, read_block: i64, lies: i64) -> Result<(), DomainError> {
    let address = SupplierWallet::deposit_address_of(conn, sweep.wallet_id).await?;
    let address = address.ok_or_else(|| DomainError::Broken(format!("the wallet of sweep {}", sweep.id)))?;
    IncomingTransfer::set_swept(conn, (address, &sweep.asset), (read_block, lies), sweep.id).await?;
    Ok(())
}
