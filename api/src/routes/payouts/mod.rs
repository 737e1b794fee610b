//! Payouts: asked for, shown, listed; and the addresses that a user may be paid to.

pub(crate) mod add_address;
pub(crate) mod create;
pub(crate) mod delete_address;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod list_addresses;

use axum::Json;
use chrono::{DateTime, Utc};
use db::models::{Payout, PayoutAddress, PayoutFilter, PayoutState};
use domain::payouts::{PayoutWithTransaction, page, with_transactions};
use kernel::{Asset, PayoutId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Money, cut, trx};
use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;

/// A payout.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayoutView {
    /// Its id.
    pub(crate) id: Uuid,
    /// Whose money.
    user_id: i64,
    /// The network that it leaves on.
    #[schema(example = "tron")]
    network: String,
    /// What is paid.
    amount: Money,
    /// Where to.
    #[schema(example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    to: String,
    /// `requested`, `approved`, `processing`, `sent`, `completed`, `rejected` or `failed`.
    #[schema(value_type = String, example = "approved")]
    state: PayoutState,
    /// Why it is not paid (yet), such as `no_treasury_fits`.
    reason: Option<String>,
    /// Whether an operator has to agree.
    needs_approval: bool,
    /// Who asked for it: `api_key:<id>`.
    requested_by: String,
    /// Who agreed.
    approved_by: Option<String>,
    /// Transactions signed for it.
    attempts: i32,
    /// The transaction that may pay it, or has paid it.
    txid: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// When it was paid for good, or given back.
    ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<PayoutWithTransaction> for PayoutView {
    type Error = Problem;

    fn try_from(found: PayoutWithTransaction) -> Result<Self, Problem> {
        let payout = found.payout;
        let unreadable = || Problem::internal(format!("payout {} is of no asset", payout.id));
        Ok(Self {
            id: payout.id,
            user_id: payout.user_id,
            amount: Money {
                amount: trx(payout.amount)?,
                asset: payout.asset.parse().map_err(|_| unreadable())?,
            },
            network: payout.network,
            to: payout.to_address,
            state: payout.state,
            reason: payout.reason_code,
            needs_approval: payout.needs_approval,
            requested_by: payout.requested_by,
            approved_by: payout.approved_by,
            attempts: payout.attempts,
            txid: found.transaction.map(|transaction| transaction.txid),
            created_at: payout.created_at,
            updated_at: payout.updated_at,
            ended_at: payout.ended_at,
        })
    }
}

/// The view of one payout.
pub(super) async fn view(app: &App, payout: Payout) -> Result<PayoutView, Problem> {
    let found = with_transactions(&app.pool, vec![payout]).await?;
    let found = found.into_iter().next();
    found
        .ok_or_else(|| Problem::internal("a payout was lost"))
        .and_then(PayoutView::try_from)
}

/// A page of payouts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayoutPage {
    items: Vec<PayoutView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<PayoutId>,
}

/// Takes the filters of a list of payouts out of the query, but for whose they are.
pub(crate) fn filter(query: &mut QueryParams, user_id: Option<i64>) -> Result<PayoutFilter, Problem> {
    let asset: Option<Asset> = query.take("asset")?;
    Ok(PayoutFilter {
        user_id,
        states: query.take_words("state", PayoutState::ALL, PayoutState::word)?,
        asset: asset.map(Asset::code),
        address: query.take("address")?,
        txid: query.take_txid()?,
        created: query.take_period()?,
        amount: query.take_amounts("min_amount", "max_amount")?,
        oldest_first: query.take_oldest_first()?,
    })
}

/// The page that a query asks for; what else it narrows the list to was taken from it before.
pub(super) async fn answer_page(
    app: &App,
    filter: PayoutFilter,
    mut query: QueryParams,
) -> Result<Json<PayoutPage>, Problem> {
    let place: Option<PayoutId> = query.take("cursor")?;
    let limit = query.take_limit(app)?;
    query.finish()?;
    let mut payouts = page(&app.pool, &filter, place, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut payouts, limit, |payout| PayoutId(payout.id));
    let found = with_transactions(&app.pool, payouts).await?;
    let items = found.into_iter().map(PayoutView::try_from).collect::<Result<_, _>>()?;
    Ok(Json(PayoutPage { items, next_cursor }))
}

/// An address that a user may be paid to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayoutAddressView {
    #[schema(example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    address: String,
    label: Option<String>,
    created_at: DateTime<Utc>,
}

impl From<PayoutAddress> for PayoutAddressView {
    fn from(row: PayoutAddress) -> Self {
        Self {
            address: row.address,
            label: row.label,
            created_at: row.created_at,
        }
    }
}
