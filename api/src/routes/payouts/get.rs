//! `GET /api/payouts/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use db::models::{ChainTransaction, Outcome, PayoutEvent, PayoutState, TxState};
use domain::payouts::detail;
use kernel::Amount;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{PayoutView, view};
use crate::App;
use crate::extract::path;
use crate::problem::Problem;
use crate::routes::trx;

/// A payout with all that happened to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayoutDetailView {
    #[serde(flatten)]
    payout: PayoutView,
    /// What happened, oldest first.
    timeline: Vec<PayoutEventView>,
    /// What was signed for it, oldest first.
    transactions: Vec<PayoutTransactionView>,
}

/// Something that happened to a payout.
#[derive(Debug, Serialize, ToSchema)]
struct PayoutEventView {
    at: DateTime<Utc>,
    /// Such as `requested`, `approved`, `signed`, `sent`, `completed`.
    event: String,
    /// The payout's state from then on.
    #[schema(value_type = String)]
    state: PayoutState,
    /// `api_key:<id>`, `operator:<name>`, `worker` or `chain`.
    actor: String,
    /// Depends on the event.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

/// One signed transaction.
#[derive(Debug, Serialize, ToSchema)]
struct PayoutTransactionView {
    txid: String,
    /// The treasury wallet.
    wallet_id: Uuid,
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

/// Shows a payout with its timeline and transactions.
#[utoipa::path(get, path = "/api/payouts/{id}", tag = "payouts",
    params(("id" = Uuid, Path, description = "The payout")),
    responses((status = 200, description = "The payout", body = PayoutDetailView)))]
pub(crate) async fn get_payout(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<PayoutDetailView>, Problem> {
    let detail = detail(&app.pool, path("id", &id)?).await?;
    let transactions = detail.transactions.iter().map(PayoutTransactionView::of);
    Ok(Json(PayoutDetailView {
        transactions: transactions.collect::<Result<_, _>>()?,
        payout: view(&app, detail.payout).await?,
        timeline: detail.events.into_iter().map(PayoutEventView::from).collect(),
    }))
}

impl From<PayoutEvent> for PayoutEventView {
    fn from(event: PayoutEvent) -> Self {
        Self {
            at: event.at,
            event: event.event,
            state: event.state,
            actor: event.actor,
            detail: event.detail,
        }
    }
}

impl PayoutTransactionView {
    fn of(transaction: &ChainTransaction) -> Result<Self, Problem> {
        Ok(Self {
            txid: transaction.txid.clone(),
            wallet_id: transaction.wallet_id,
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
