//! Claiming an order for delivery: the guarded update, the choice of a wallet and the reservation.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use db::Conn;
use db::models::{
    ChainCursor, Delegation, DelegationState, IntentKind, NewDelegation, NewOrderEvent, Order, OrderState, StockHold,
    SupplierWallet,
};
use kernel::{ChainTransactionId, DelegationId, IdGen, OrderId, WalletId};
use serde_json::json;
use uuid::Uuid;

use super::choice::{SplitLimits, Wanted};
use super::parts;
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
    /// The energy that is missing: all of the order's, or what the parts that are there leave.
    pub energy: i64,
    /// Staked sun that gives it at the network's ratio, margin included.
    pub amount_sun: i64,
    /// Bandwidth points that each transaction costs.
    pub bandwidth: i64,
    /// How far the order may be split where no wallet can carry it.
    pub split: SplitLimits,
    /// The current time.
    pub now: DateTime<Utc>,
}

impl ClaimRequest {
    pub(super) const fn wanted(&self) -> Wanted {
        Wanted {
            amount_sun: self.amount_sun,
            bandwidth: self.bandwidth,
        }
    }
}

/// What came of a claim.
#[derive(Debug)]
pub enum Claim {
    /// Nothing is missing of the order, or it has ended: there is nothing to do.
    NotPending,
    /// The order is past its deadline and was cancelled, money back.
    PastDeadline,
    /// The order is past its deadline, and some of its parts are on their way or on chain: to be ended by
    /// [`super::end_incomplete`].
    Incomplete,
    /// Not so much is missing of the order as was told, or what was held for it cannot be used: look again.
    Changed,
    /// What we know of the chain is old; what is signed on it would expire unseen. The order waits.
    ChainNotCurrent,
    /// No wallet has the room; the order waits.
    NoWalletFits,
    /// Reserved, of one wallet or of several; sign and store all of it before the commit.
    Claimed(Vec<Claimed>),
}

/// A reservation to sign for.
#[derive(Debug)]
pub struct Claimed {
    /// The order, as it was before: processing now.
    pub order: Order,
    /// The wallet chosen, locked.
    pub wallet: SupplierWallet,
    /// The delegation to make.
    pub delegation: DelegationId,
    /// The energy that it gives.
    pub energy: i64,
    /// Staked sun to delegate.
    pub amount_sun: i64,
    /// `raw_data.timestamp` to sign with, never used by this wallet before.
    pub timestamp_ms: i64,
    /// The network's state as the watcher stored it: reference block and clock.
    pub cursor: ChainCursor,
}

impl Claimed {
    const fn is_part(&self) -> bool {
        self.energy < self.order.energy
    }
}

/// Claims what is missing of an order and reserves stake for it: of one wallet where one can carry it, else of several. Of
/// several claims of one order one gets it: the row lock decides.
///
/// # Errors
/// When the network was never read, or the database fails.
pub async fn claim_in_tx(conn: &mut Conn, ids: &dyn IdGen, request: &ClaimRequest) -> Result<Claim, DomainError> {
    let now = request.now;
    let Some(order) = Order::lock(conn, request.order.0).await? else {
        return Err(DomainError::NotFound("order"));
    };
    let missing = parts::missing_of(conn, &order).await?;
    if missing.energy == 0 {
        return Ok(Claim::NotPending);
    }
    if order.deadline_at <= now && order.state == OrderState::Processing {
        return Ok(Claim::Incomplete);
    }
    if order.deadline_at <= now {
        end_past_deadline_in_tx(conn, ids, &order, now).await?;
        return Ok(Claim::PastDeadline);
    }
    if missing.energy != request.energy {
        return Ok(Claim::Changed);
    }
    if !is_current(conn, &order.network).await? {
        return Ok(Claim::ChainNotCurrent);
    }
    let cursor = ChainCursor::find(conn, &order.network)
        .await?
        .ok_or(DomainError::NotFound("network"))?;
    let held = StockHold::of_orders(conn, &[order.id]).await?;
    let held: Vec<StockHold> = held.into_iter().map(|held| held.hold).collect();
    let claimed = if held.is_empty() {
        match whole_in_tx(conn, &order, request, &cursor).await? {
            Some(claimed) => vec![claimed],
            None => parts::split_in_tx(conn, ids, &order, (request, &missing), &cursor).await?,
        }
    } else {
        parts::of_held_in_tx(conn, ids, &order, (request, &held), &cursor).await?
    };
    if claimed.is_empty() && !held.is_empty() {
        return Ok(Claim::Changed); // it goes to whoever can deliver it
    }
    if claimed.is_empty() {
        Order::set_reason(conn, order.id, "no_wallet_fits", now).await?;
        let detail = json!({ "order": order.id, "energy": request.energy, "amount_sun": request.amount_sun });
        findings::record_in_tx(conn, ids, FindingKind::NoWalletFits, &order.network, detail, now).await?;
        return Ok(Claim::NoWalletFits);
    }
    begin_in_tx(conn, &claimed.iter().collect::<Vec<_>>(), now).await?;
    Ok(Claim::Claimed(claimed))
}

/// All that is missing, of the best wallet.
async fn whole_in_tx(
    conn: &mut Conn,
    order: &Order,
    request: &ClaimRequest,
    cursor: &ChainCursor,
) -> Result<Option<Claimed>, DomainError> {
    let (wanted, amount_sun) = ((order.id, order.receiver.as_str()), request.amount_sun);
    let Some(wallet) = SupplierWallet::choose(conn, wanted, amount_sun, request.bandwidth).await? else {
        return Ok(None);
    };
    let timestamp_ms = next_timestamp(cursor, &wallet);
    SupplierWallet::reserve(
        conn,
        wallet.id,
        amount_sun,
        request.bandwidth,
        timestamp_ms,
        request.now,
    )
    .await?;
    Ok(Some(Claimed {
        order: order.clone(),
        wallet,
        delegation: request.delegation,
        energy: request.energy,
        amount_sun,
        timestamp_ms,
        cursor: cursor.clone(),
    }))
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
            energy: claimed.energy,
            amount_sun: claimed.amount_sun,
            partial: claimed.is_part(),
            state: DelegationState::Reserved,
            created_at: now,
            updated_at: now,
        })
        .collect();
    NewDelegation::insert_many(conn, &rows).await?;
    let (mut pending, mut lacking) = (BTreeSet::new(), BTreeSet::new());
    for claimed in claimed {
        let orders = if claimed.order.state == OrderState::Pending {
            &mut pending
        } else {
            &mut lacking
        };
        orders.insert(claimed.order.id);
    }
    for order in lacking {
        guarded(Order::count_attempt(conn, order, now).await?, "order", order)?;
    }
    let pending: Vec<Uuid> = pending.into_iter().collect();
    let moved = Order::set_processing(conn, &pending, now).await?;
    guarded(moved == pending.len(), "one of the orders", format!("{pending:?}"))
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
        "energy": claimed.energy,
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
