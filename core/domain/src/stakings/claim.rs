//! Claiming a staking to sign for it: what was read of the chain is held against it under its lock, and against what the wallet
//! promised meanwhile.

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{
    ChainCursor, Finding, IntentKind, StakeResource, Staking, StakingAction, StakingState, SupplierWallet, WalletState,
};
use kernel::{ChainTransactionId, IdGen, StakingId, WalletId};
use serde_json::{Value, json};

use super::{StakeFacts, StakeRules, lock, note_in_tx, subject, unmet};
use crate::findings::{self, FindingKind};
use crate::intents::{is_current, next_timestamp};
use crate::orders::guarded;
use crate::transactions::{Intent, Signed, ToStore, store_in_tx};
use crate::wallets::recount_reserved_in_tx;
use crate::{DomainError, WORKER};

/// A staking that is to be signed, with what was read for it.
#[derive(Debug, Clone, Copy)]
pub struct ToStake<'a> {
    /// The staking.
    pub staking: StakingId,
    /// What the wallet has.
    pub facts: &'a StakeFacts,
    /// The head just before that was read.
    pub as_of_block: i64,
    /// What it is held to.
    pub rules: &'a StakeRules,
}

/// What came of a claim.
#[derive(Debug)]
pub enum StakeClaim {
    /// It is on its way, or over.
    NothingToDo,
    /// It cannot be signed now, for this reason.
    Wait(&'static str),
    /// The chain would not carry it: it has failed, for this reason.
    Failed(&'static str),
    /// To be signed and stored before the commit.
    Claimed(Box<StakeClaimed>),
}

/// A transaction of a staking to sign.
#[derive(Debug)]
pub struct StakeClaimed {
    /// The staking as it was before.
    pub staking: Staking,
    /// Whose coin it is, locked.
    pub wallet: SupplierWallet,
    /// `raw_data.timestamp` to sign with, never used by this wallet before.
    pub timestamp_ms: i64,
    /// The network's state as the watcher stored it: reference block and clock.
    pub cursor: ChainCursor,
}

/// Claims a staking. Of several claims of one staking one gets it: the row lock decides. One that the chain would refuse fails
/// here, before anything is signed.
///
/// # Errors
/// When rows are missing, or the database fails.
pub async fn claim_stake_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    to: &ToStake<'_>,
    now: DateTime<Utc>,
) -> Result<StakeClaim, DomainError> {
    let staking = lock(conn, to.staking.0).await?;
    if staking.state != StakingState::Requested {
        return Ok(StakeClaim::NothingToDo);
    }
    let cursor = match ready(conn, &staking, to.as_of_block).await? {
        Ok(cursor) => cursor,
        Err(code) => {
            Staking::set_reason(conn, staking.id, code, now).await?;
            return Ok(StakeClaim::Wait(code));
        }
    };
    let wallet = SupplierWallet::lock(conn, staking.wallet_id).await?;
    let wallet = wallet.ok_or(DomainError::NotFound("wallet"))?;
    let unmet = if wallet.state == WalletState::Active {
        unmet(&staking, to.facts, wallet.reserved_sun, to.rules.reserve_sun)
    } else {
        Some("wallet_not_active")
    };
    if let Some(code) = unmet {
        let detail = json!({
            "code": code, "balance_sun": to.facts.balance_sun, "staked_energy_sun": to.facts.energy_sun,
            "staked_bandwidth_sun": to.facts.bandwidth_sun, "reserved_sun": wallet.reserved_sun,
            "ready_sun": to.facts.ready_sun, "waiting_sun": to.facts.waiting_sun,
        });
        fail_in_tx(conn, ids, (&staking, StakingState::Requested), (code, detail), now).await?;
        return Ok(StakeClaim::Failed(code));
    }
    let timestamp_ms = next_timestamp(&cursor, &wallet);
    SupplierWallet::set_timestamp(conn, wallet.id, timestamp_ms).await?;
    let moved_sun = to.facts.moved_sun(staking.action);
    let moved = Staking::set_processing(conn, staking.id, moved_sun, now).await?;
    guarded(moved, "staking", staking.id)?;
    if is_reserved(&staking) {
        recount_reserved_in_tx(conn, wallet.id, now).await?;
    }
    Ok(StakeClaim::Claimed(Box::new(StakeClaimed {
        staking,
        wallet,
        timestamp_ms,
        cursor,
    })))
}

/// Whether stake is reserved while it is on its way.
pub(super) fn is_reserved(staking: &Staking) -> bool {
    staking.action == StakingAction::Unstake && staking.resource == Some(StakeResource::Energy)
}

/// The network's state to sign on, or what stands against signing at all.
async fn ready(
    conn: &mut Conn,
    staking: &Staking,
    as_of_block: i64,
) -> Result<Result<ChainCursor, &'static str>, DomainError> {
    if !is_current(conn, &staking.network).await? {
        return Ok(Err("chain_not_current"));
    }
    let kind = FindingKind::DeadTransactionLanded.word();
    if Finding::any_about_dead_of(conn, kind, staking.id, false).await? {
        // a node lied: this may be done already, and an operator has to look
        return Ok(Err("dead_transaction_landed"));
    }
    let cursor = ChainCursor::find(conn, &staking.network).await?;
    let cursor = cursor.ok_or(DomainError::NotFound("network"))?;
    // a node that lags behind what is final by our own reading may show coin that was staked before
    if as_of_block < cursor.solid_number {
        return Ok(Err("node_behind"));
    }
    Ok(Ok(cursor))
}

/// Ends a staking that came to nothing, and tells an operator. The caller holds its row.
pub(super) async fn fail_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (staking, from): (&Staking, StakingState),
    (code, detail): (&str, Value),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    end_in_tx(conn, staking, (from, StakingState::Failed), (code, WORKER), detail, now).await?;
    let found = json!({ "staking": staking.id, "action": staking.action, "code": code });
    findings::record_in_tx(
        conn,
        ids,
        FindingKind::StakingFailed,
        &subject(staking.wallet_id),
        found,
        now,
    )
    .await
}

/// Ends a staking of which nothing can land any more. The caller holds its row.
pub(crate) async fn end_in_tx(
    conn: &mut Conn,
    staking: &Staking,
    (from, to): (StakingState, StakingState),
    (code, actor): (&str, &str),
    detail: Value,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let moved = Staking::set_state(conn, staking.id, (from, to), Some(code), now).await?;
    guarded(moved, "staking", staking.id)?;
    note_in_tx(conn, (staking.id, to), to.word(), actor, detail, now).await
}

/// A claim and what was signed for it.
#[derive(Debug, Clone, Copy)]
pub struct SignedStake<'a> {
    /// The claim.
    pub claimed: &'a StakeClaimed,
    /// Id of the transaction's row.
    pub id: ChainTransactionId,
    /// The bytes.
    pub signed: &'a Signed,
}

/// Stores what was signed for a staking, in the claim's transaction. Only after its commit may the bytes be sent.
///
/// # Errors
/// When the database refuses the transaction; the claim is then undone with it.
pub async fn stake_signed_in_tx(
    conn: &mut Conn,
    new: &SignedStake<'_>,
    (now, next_check_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), DomainError> {
    let StakeClaimed { staking, wallet, .. } = new.claimed;
    let row = ToStore {
        id: new.id,
        network: &staking.network,
        intent: Intent {
            kind: IntentKind::Stake,
            id: staking.id,
            wallet: WalletId(wallet.id),
        },
        signed: new.signed,
    };
    store_in_tx(conn, &[row], (now, next_check_at)).await?;
    let detail = json!({ "txid": new.signed.txid, "attempt": staking.attempts + 1 });
    note_in_tx(
        conn,
        (staking.id, StakingState::Processing),
        "signed",
        WORKER,
        detail,
        now,
    )
    .await
}
