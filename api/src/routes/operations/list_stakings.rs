//! `GET /api/operations/stakings`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use db::models::{StakeResource, Staking, StakingAction, StakingFilter, StakingSource, StakingState};
use domain::stakings::page;
use kernel::{Amount, StakingId, WalletId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::{cut, trx};

/// Coin of a supplier wallet that is staked, or stake that is undone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StakingView {
    /// Its id.
    id: Uuid,
    /// Where it happens.
    #[schema(example = "tron")]
    network: String,
    /// Whose coin it is.
    wallet_id: Uuid,
    /// The wallet's address.
    address: Option<String>,
    /// `stake`, `unstake`, `withdraw` (all that has waited long enough) or `cancel` (stakes again all that still waits).
    #[schema(value_type = String, example = "stake")]
    action: StakingAction,
    /// `energy` or `bandwidth`; null for `withdraw` and `cancel`.
    #[schema(value_type = Option<String>, example = "energy")]
    resource: Option<StakeResource>,
    /// TRX; null for `withdraw` and `cancel`.
    #[schema(value_type = Option<String>, example = "1000.000000")]
    amount: Option<Amount>,
    /// TRX that a `withdraw` or a `cancel` moves, by the read before it was signed.
    #[schema(value_type = Option<String>)]
    moved: Option<Amount>,
    /// `requested`, `processing`, `sent`, `done`, `failed` or `cancelled`.
    #[schema(value_type = String, example = "done")]
    state: StakingState,
    /// `operator` or `policy`.
    #[schema(value_type = String, example = "operator")]
    source: StakingSource,
    /// `operator:<name>`, `api_key:<id>` or `worker`.
    requested_by: String,
    /// Why it is done, in words.
    why: String,
    /// Transactions signed for it.
    attempts: i32,
    /// The block that carries it.
    block: Option<i64>,
    /// Why it is not done (yet), such as `balance_short`.
    reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<(Staking, Option<String>)> for StakingView {
    type Error = Problem;

    fn try_from((staking, address): (Staking, Option<String>)) -> Result<Self, Problem> {
        Ok(Self {
            id: staking.id,
            network: staking.network,
            wallet_id: staking.wallet_id,
            address,
            action: staking.action,
            resource: staking.resource,
            amount: staking.amount_sun.map(trx).transpose()?,
            moved: staking.moved_sun.map(trx).transpose()?,
            state: staking.state,
            source: staking.source,
            requested_by: staking.requested_by,
            why: staking.reason,
            attempts: staking.attempts,
            block: staking.block_number,
            reason: staking.reason_code,
            created_at: staking.created_at,
            updated_at: staking.updated_at,
            ended_at: staking.ended_at,
        })
    }
}

/// A page of stakings, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StakingPage {
    items: Vec<StakingView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<StakingId>,
}

/// Lists what is staked and unstaked of supplier wallets, newest first.
#[utoipa::path(get, path = "/api/operations/stakings", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "Only in this state, or one of several with commas between"),
        ("action" = Option<String>, Query, description = "Only of this action"),
        ("wallet_id" = Option<uuid::Uuid>, Query, description = "Only of this wallet"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = StakingPage)))]
pub(crate) async fn list_stakings(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<StakingPage>, Problem> {
    let wallet: Option<WalletId> = query.take("wallet_id")?;
    let filter = StakingFilter {
        states: query.take_words("state", StakingState::ALL, StakingState::word)?,
        action: query.take("action")?,
        wallet: wallet.map(|wallet| wallet.0),
    };
    let before: Option<StakingId> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut stakings = page(&app.pool, filter, before, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut stakings, limit, |(staking, _)| StakingId(staking.id));
    let items = stakings
        .into_iter()
        .map(StakingView::try_from)
        .collect::<Result<_, _>>()?;
    Ok(Json(StakingPage { items, next_cursor }))
}
