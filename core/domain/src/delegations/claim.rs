//! Claiming an order for delivery: the guarded update, the choice of a wallet and the reservation.

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{
    ChainCursor, Delegation, DelegationState, IntentKind, NewDelegation, NewOrderEvent, Order, OrderState,
    SupplierWallet,
};
use kernel::{ChainTransactionId, DelegationId, IdGen, OrderId, WalletId};
use serde_json::json;
use uuid::Uuid;

use crate::findings::{self, FindingKind};
use crate::intents::{is_current, next_timestamp};
use crate::orders::{end_past_deadline_in_tx, guarded};
use crate::transactions::{Intent, Signed, ToStore, store_in_tx};
use crate::{DomainError, WORKER};

/// What a claim needs to know beforehand.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// The order.
    pub order: OrderId,
    /// The new delegation's id.
    pub delegation: DelegationId,
    /// Staked sun that gives the order's energy at the network's ratio, margin included.
    pub amount_sun: i64,
    /// Bandwidth points that the transaction costs.
    pub bandwidth: i64,
    /// The current time.
    pub now: DateTime<Utc>,
}

/// What came of a claim.
#[derive(Debug)]
pub enum Claim {
    /// The order is no longer pending: there is nothing to do.
    NotPending,
    /// The order is past its deadline and was cancelled, money back.
    PastDeadline,
    /// What we know of the chain is old; what is signed on it would expire unseen. The order waits.
    ChainNotCurrent,
    /// No wallet has the room; the order waits.
    NoWalletFits,
    /// Reserved; sign and store before the commit.
    Claimed(Box<Claimed>),
}

/// A reservation to sign for.
#[derive(Debug)]
pub struct Claimed {
    /// The order, now processing.
    pub order: Order,
    /// The wallet chosen, locked.
    pub wallet: SupplierWallet,
    /// The delegation to make.
    pub delegation: DelegationId,
    /// Staked sun to delegate.
    pub amount_sun: i64,
    /// `raw_data.timestamp` to sign with, never used by this wallet before.
    pub timestamp_ms: i64,
    /// The network's state as the watcher stored it: reference block and clock.
    pub cursor: ChainCursor,
}

/// Claims a pending order and reserves stake for it. Of several claims of one order one gets it: the row lock decides.
///
/// # Errors
/// When the network was never read, or the database fails.
pub async fn claim_in_tx(conn: &mut Conn, ids: &dyn IdGen, request: &ClaimRequest) -> Result<Claim, DomainError> {
    let now = request.now;
    let Some(order) = Order::lock(conn, request.order.0).await? else {
        return Err(DomainError::NotFound("order"));
    };
    if order.state != OrderState::Pending {
        return Ok(Claim::NotPending);
    }
    if order.deadline_at <= now {
        end_past_deadline_in_tx(conn, ids, &order, now).await?;
        return Ok(Claim::PastDeadline);
    }
    if !is_current(conn, &order.network).await? {
        return Ok(Claim::ChainNotCurrent);
    }
    let cursor = ChainCursor::find(conn, &order.network)
        .await?
        .ok_or(DomainError::NotFound("network"))?;
    let wanted = (order.id, order.receiver.as_str());
    let wallet = SupplierWallet::choose(conn, wanted, request.amount_sun, request.bandwidth).await?;
    let Some(wallet) = wallet else {
        Order::set_reason(conn, order.id, "no_wallet_fits", now).await?;
        let detail = json!({ "order": order.id, "energy": order.energy, "amount_sun": request.amount_sun });
        findings::record_in_tx(conn, ids, FindingKind::NoWalletFits, &order.network, detail, now).await?;
        return Ok(Claim::NoWalletFits);
    };
    let timestamp_ms = next_timestamp(&cursor, &wallet);
    SupplierWallet::reserve(
        conn,
        wallet.id,
        request.amount_sun,
        request.bandwidth,
        timestamp_ms,
        now,
    )
    .await?;
    let claimed = Claimed {
        order,
        wallet,
        delegation: request.delegation,
        amount_sun: request.amount_sun,
        timestamp_ms,
        cursor,
    };
    begin_in_tx(conn, &[&claimed], now).await?;
    Ok(Claim::Claimed(Box::new(claimed)))
}

/// Writes the reserved delegations, and their orders are being processed. The caller holds orders and wallets.
pub(super) async fn begin_in_tx(conn: &mut Conn, claimed: &[&Claimed], now: DateTime<Utc>) -> Result<(), DomainError> {
    let rows: Vec<NewDelegation<'_>> = claimed
        .iter()
        .map(|claimed| NewDelegation {
            id: claimed.delegation.0,
            order_id: claimed.order.id,
            wallet_id: claimed.wallet.id,
            network: &claimed.order.network,
            receiver: &claimed.order.receiver,
            energy: claimed.order.energy,
            amount_sun: claimed.amount_sun,
            state: DelegationState::Reserved,
            created_at: now,
            updated_at: now,
        })
        .collect();
    NewDelegation::insert_many(conn, &rows).await?;
    let orders: Vec<Uuid> = claimed.iter().map(|claimed| claimed.order.id).collect();
    let moved = Order::set_processing(conn, &orders, now).await?;
    guarded(moved == orders.len(), "one of the orders", format!("{orders:?}"))
}

/// A claim and what was signed for it.
#[derive(Debug, Clone, Copy)]
pub struct SignedClaim<'a> {
    /// The claim.
    pub claimed: &'a Claimed,
    /// Id of the transaction's row.
    pub id: ChainTransactionId,
    /// The bytes.
    pub signed: &'a Signed,
}

/// Stores what was signed for claims, in the claims' transaction. Only after its commit may the bytes be sent.
///
/// # Errors
/// When the database refuses a transaction; the claims are then undone with it.
pub async fn signed_in_tx(
    conn: &mut Conn,
    all: &[SignedClaim<'_>],
    (now, next_check_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), DomainError> {
    let rows: Vec<ToStore<'_>> = all.iter().map(to_store).collect();
    store_in_tx(conn, &rows, (now, next_check_at)).await?;
    let events: Vec<NewOrderEvent<'_>> = all.iter().map(|claim| signed_event(claim, now)).collect();
    Ok(NewOrderEvent::insert_many(conn, &events).await?)
}

fn to_store<'a>(claim: &SignedClaim<'a>) -> ToStore<'a> {
    ToStore {
        id: claim.id,
        network: &claim.claimed.order.network,
        intent: Intent {
            kind: IntentKind::Delegate,
            id: claim.claimed.delegation.0,
            wallet: WalletId(claim.claimed.wallet.id),
        },
        signed: claim.signed,
    }
}

fn signed_event(claim: &SignedClaim<'_>, now: DateTime<Utc>) -> NewOrderEvent<'static> {
    let claimed = claim.claimed;
    let detail = json!({
        "delegation": claimed.delegation,
        "wallet": claimed.wallet.address,
        "amount_sun": claimed.amount_sun,
        "txid": claim.signed.txid,
        "attempt": claimed.order.attempts + 1,
    });
    NewOrderEvent {
        order_id: claimed.order.id,
        at: now,
        event: "signed",
        state: OrderState::Processing,
        actor: WORKER,
        detail,
    }
}

/// The delegation that an id names.
pub(super) async fn lock(conn: &mut Conn, id: DelegationId) -> Result<Delegation, DomainError> {
    Delegation::lock(conn, id.0)
        .await?
        .ok_or(DomainError::NotFound("delegation"))
}
