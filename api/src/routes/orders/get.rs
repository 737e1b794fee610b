//! `GET /api/orders/{id}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use db::models::{ChainTransaction, Delegation, DelegationState, IntentKind, OrderEvent, OrderState, Outcome, TxState};
use domain::operations::NOTED;
use domain::orders::{OrderDetail, detail};
use kernel::Amount;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::OrderView;
use super::extend::ExtensionView;
use crate::App;
use crate::extract::path;
use crate::middleware::Caller;
use crate::problem::Problem;
use crate::routes::trx;

/// An order with all that happened to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderDetailView {
    #[serde(flatten)]
    order: OrderView,
    /// What happened, oldest first.
    timeline: Vec<EventView>,
    /// Delegations tried, oldest first.
    delegations: Vec<DelegationView>,
    /// More time that was bought, oldest first.
    extensions: Vec<ExtensionView>,
}

/// Something that happened to an order.
#[derive(Debug, Serialize, ToSchema)]
struct EventView {
    at: DateTime<Utc>,
    /// Such as `accepted`, `delegating`, `completed`.
    event: String,
    /// The order's state from then on.
    #[schema(value_type = String)]
    state: OrderState,
    /// `api_key:<id>`, `worker` or `chain`.
    actor: String,
    /// Depends on the event.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

/// Energy of one wallet, lent for one order.
#[derive(Debug, Serialize, ToSchema)]
struct DelegationView {
    id: Uuid,
    /// The supplier wallet.
    wallet_id: Uuid,
    /// The wallet's address.
    wallet_address: Option<String>,
    energy: i64,
    /// The stake delegated, TRX.
    #[schema(value_type = String, example = "6500.000000")]
    stake: Amount,
    /// `reserved`, `active`, `reclaiming`, `reclaimed` or `released`.
    #[schema(value_type = String)]
    state: DelegationState,
    created_at: DateTime<Utc>,
    active_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
    reclaimed_at: Option<DateTime<Utc>>,
    /// What was signed for it, oldest first.
    transactions: Vec<TransactionView>,
}

/// One signed transaction.
#[derive(Debug, Serialize, ToSchema)]
struct TransactionView {
    txid: String,
    /// `delegate` or `reclaim`.
    #[schema(value_type = String)]
    kind: IntentKind,
    /// `signed`, `sent`, `included`, `final` or `dead`.
    #[schema(value_type = String)]
    state: TxState,
    /// Once in a block: `ok` or `failed`.
    #[schema(value_type = Option<String>)]
    outcome: Option<Outcome>,
    /// How often its bytes were sent to a node.
    sends: i32,
    last_sent_at: Option<DateTime<Utc>>,
    block_number: Option<i64>,
    block_id: Option<String>,
    block_time: Option<DateTime<Utc>>,
    /// TRX burnt.
    #[schema(value_type = Option<String>)]
    fee: Option<Amount>,
    created_at: DateTime<Utc>,
}

/// Shows an order with its timeline, delegations and transactions.
#[utoipa::path(get, path = "/api/orders/{id}", tag = "orders",
    params(("id" = Uuid, Path, description = "The order")),
    responses((status = 200, description = "The order", body = OrderDetailView)))]
pub(crate) async fn get_order(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    Path(id): Path<String>,
) -> Result<Json<OrderDetailView>, Problem> {
    let mut detail = detail(&app.pool, path("id", &id)?).await?;
    if caller.session.is_none() {
        // what operators write for each other is nothing for a shop's customers
        detail.events.retain(|event| event.event != NOTED);
    }
    Ok(Json(detail.try_into()?))
}

impl TryFrom<OrderDetail> for OrderDetailView {
    type Error = Problem;

    fn try_from(detail: OrderDetail) -> Result<Self, Problem> {
        let delegations = detail.delegations.into_iter().map(|(delegation, address)| {
            let transactions = detail.transactions.iter();
            let own = transactions.filter(|transaction| transaction.intent_id == delegation.id);
            let transactions = own.map(TransactionView::of).collect::<Result<_, _>>()?;
            DelegationView::of(&delegation, address, transactions)
        });
        let extensions = detail.extensions.iter().map(ExtensionView::try_from);
        Ok(Self {
            extensions: extensions.collect::<Result<_, _>>()?,
            order: detail.order.try_into()?,
            timeline: detail.events.into_iter().map(EventView::from).collect(),
            delegations: delegations.collect::<Result<_, _>>()?,
        })
    }
}

impl From<OrderEvent> for EventView {
    fn from(event: OrderEvent) -> Self {
        Self {
            at: event.at,
            event: event.event,
            state: event.state,
            actor: event.actor,
            detail: event.detail,
        }
    }
}

impl DelegationView {
    fn of(
        delegation: &Delegation,
        wallet_address: Option<String>,
        transactions: Vec<TransactionView>,
    ) -> Result<Self, Problem> {
        Ok(Self {
            id: delegation.id,
            wallet_id: delegation.wallet_id,
            wallet_address,
            energy: delegation.energy,
            stake: trx(delegation.amount_sun)?,
            state: delegation.state,
            created_at: delegation.created_at,
            active_at: delegation.active_at,
            ends_at: delegation.ends_at,
            reclaimed_at: delegation.reclaimed_at,
            transactions,
        })
    }
}

impl TransactionView {
    fn of(transaction: &ChainTransaction) -> Result<Self, Problem> {
        Ok(Self {
            txid: transaction.txid.clone(),
            kind: transaction.intent_kind,
            state: transaction.state,
            outcome: transaction.outcome,
            sends: transaction.sends,
            last_sent_at: transaction.last_sent_at,
            block_number: transaction.block_number,
            block_id: transaction.block_id.clone(),
            block_time: transaction.block_time,
            fee: transaction.fee_sun.map(trx).transpose()?,
            created_at: transaction.created_at,
        })
    }
}
