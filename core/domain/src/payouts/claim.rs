//! Claiming a payout to sign it: the guarded update, and the choice of a treasury wallet.

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{
    ChainCursor, Finding, IntentKind, Payout, PayoutState, SupplierWallet, Switch, TreasuryWish, lock_treasury,
    treasury_ids,
};
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::{Asset, ChainTransactionId, IdGen, PayoutId, WalletId};
use serde_json::json;
use uuid::Uuid;

use super::{asset_of, lock, note_in_tx};
use crate::findings::{self, FindingKind};
use crate::intents::{is_current, next_timestamp};
use crate::orders::guarded;
use crate::transactions::{Intent, Signed, ToStore, store_in_tx};
use crate::{DomainError, WORKER};

/// The reason of a payout that no treasury wallet can pay now.
pub(crate) const NO_TREASURY_FITS: &str = "no_treasury_fits";

/// What treasury wallets keep for fees.
#[derive(Debug, Clone, Copy)]
pub struct TreasuryRules {
    /// Sun that stay in a wallet that pays TRX.
    pub fee_reserve_sun: i64,
    /// Sun that a token payout may burn: a wallet must have them to pay one.
    pub token_fee_limit_sun: i64,
}

/// What came of a claim.
#[derive(Debug)]
pub enum PayoutClaim {
    /// It is not approved, or not any more: there is nothing to do.
    NothingToDo,
    /// It cannot be signed now, for this reason.
    Wait {
        /// `payouts_stopped`, `chain_not_current`, `dead_transaction_landed` or `no_treasury_fits`.
        code: &'static str,
        /// To be pushed after the commit.
        wakes: Vec<Wake>,
    },
    /// To be signed and stored before the commit.
    Claimed(Box<PayoutClaimed>),
}

/// A payout to sign.
#[derive(Debug)]
pub struct PayoutClaimed {
    /// The payout, now processing; its row as it was before.
    pub payout: Payout,
    /// Of what.
    pub asset: Asset,
    /// The wallet that pays, locked.
    pub wallet: SupplierWallet,
    /// `raw_data.timestamp` to sign with, never used by this wallet before.
    pub timestamp_ms: i64,
    /// The network's state as the watcher stored it: reference block and clock.
    pub cursor: ChainCursor,
}

/// Claims an approved payout. Of several claims of one payout one gets it: the row lock decides.
///
/// # Errors
/// When rows are missing, or the database fails.
pub async fn claim_payout_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    id: PayoutId,
    rules: &TreasuryRules,
    now: DateTime<Utc>,
) -> Result<PayoutClaim, DomainError> {
    let payout = lock(conn, id.0).await?;
    if payout.state != PayoutState::Approved {
        return Ok(PayoutClaim::NothingToDo);
    }
    let asset = asset_of(&payout)?;
    if let Some(code) = obstacle(conn, &payout).await? {
        Payout::set_reason(conn, payout.id, code, now).await?;
        let wakes = Vec::new();
        return Ok(PayoutClaim::Wait { code, wakes });
    }
    let cursor = ChainCursor::find(conn, &payout.network)
        .await?
        .ok_or(DomainError::NotFound("network"))?;
    let Some(wallet) = choose(conn, &payout, asset, rules).await? else {
        let wakes = wait_for_money_in_tx(conn, ids, &payout, now).await?;
        let code = NO_TREASURY_FITS;
        return Ok(PayoutClaim::Wait { code, wakes });
    };
    let timestamp_ms = next_timestamp(&cursor, &wallet);
    SupplierWallet::set_timestamp(conn, wallet.id, timestamp_ms).await?;
    guarded(Payout::set_processing(conn, payout.id, now).await?, "payout", payout.id)?;
    if !Payout::any_waiting_for(conn, &payout.network, &payout.asset, NO_TREASURY_FITS).await? {
        findings::clear_in_tx(conn, FindingKind::TreasuryShort, &treasury(&payout), now).await?;
    }
    Ok(PayoutClaim::Claimed(Box::new(PayoutClaimed {
        payout,
        asset,
        wallet,
        timestamp_ms,
        cursor,
    })))
}

/// What stands against signing at all.
async fn obstacle(conn: &mut Conn, payout: &Payout) -> Result<Option<&'static str>, DomainError> {
    if Switch::is_on(conn, Switch::PAYOUTS).await? {
        return Ok(Some("payouts_stopped"));
    }
    if !is_current(conn, &payout.network).await? {
        return Ok(Some("chain_not_current"));
    }
    // a node lied: this payout may be paid already, and an operator has to look
    let kind = FindingKind::DeadTransactionLanded.word();
    let landed = Finding::any_about_dead_of(conn, kind, payout.id, false).await?;
    Ok(landed.then_some("dead_transaction_landed"))
}

/// The treasury wallet to pay from, locked. What it has is looked at again under its lock, since a read of it may have
/// come between.
async fn choose(
    conn: &mut Conn,
    payout: &Payout,
    asset: Asset,
    rules: &TreasuryRules,
) -> Result<Option<SupplierWallet>, DomainError> {
    let (sun, usdt_micro) = match asset {
        Asset::Trx => (payout.amount.saturating_add(rules.fee_reserve_sun), 0),
        Asset::Usdt => (rules.token_fee_limit_sun, payout.amount),
    };
    let wish = TreasuryWish {
        network: &payout.network,
        to: &payout.to_address,
        sun,
        usdt_micro,
        token_fee_limit_sun: rules.token_fee_limit_sun,
    };
    lock_treasury(conn).await?;
    let Some(id) = wish.find(conn, None).await? else {
        return Ok(None);
    };
    let wallet = SupplierWallet::lock(conn, id).await?;
    let still = wish.find(conn, Some(id)).await?.is_some();
    Ok(wallet.filter(|_| still))
}

/// The payout waits, the alarm is raised, and the treasury is read, so that it goes on soon after it was funded.
async fn wait_for_money_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    payout: &Payout,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    Payout::set_reason(conn, payout.id, NO_TREASURY_FITS, now).await?;
    let detail = json!({ "payout": payout.id, "amount": payout.amount });
    findings::record_in_tx(conn, ids, FindingKind::TreasuryShort, &treasury(payout), detail, now).await?;
    let wallets: Vec<String> = treasury_ids(conn).await?.iter().map(Uuid::to_string).collect();
    Ok(enqueue_each_in_tx(conn, JobKind::WalletsSync, &wallets, now).await?)
}

/// What a finding about the treasury is about.
fn treasury(payout: &Payout) -> String {
    format!("treasury:{}:{}", payout.network, payout.asset)
}

/// A claim and what was signed for it.
#[derive(Debug, Clone, Copy)]
pub struct SignedPayout<'a> {
    /// The claim.
    pub claimed: &'a PayoutClaimed,
    /// Id of the transaction's row.
    pub id: ChainTransactionId,
    /// The bytes.
    pub signed: &'a Signed,
}

/// Stores what was signed for a payout, in the claim's transaction. Only after its commit may the bytes be sent.
///
/// # Errors
/// When the database refuses the transaction; the claim is then undone with it.
pub async fn payout_signed_in_tx(
    conn: &mut Conn,
    new: &SignedPayout<'_>,
    (now, next_check_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), DomainError> {
    let (payout, wallet) = (&new.claimed.payout, &new.claimed.wallet);
    let row = ToStore {
        id: new.id,
        network: &payout.network,
        intent: Intent {
            kind: IntentKind::Payout,
            id: payout.id,
            wallet: WalletId(wallet.id),
        },
        signed: new.signed,
    };
    store_in_tx(conn, &[row], (now, next_check_at)).await?;
    let detail = json!({ "wallet": wallet.address, "txid": new.signed.txid, "attempt": payout.attempts + 1 });
    let state = PayoutState::Processing;
    note_in_tx(conn, (payout.id, state), "signed", WORKER, detail, now).await
}
