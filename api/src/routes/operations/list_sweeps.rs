//! `GET /api/operations/sweeps`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use db::models::{Sweep, SweepFilter, SweepState};
use domain::sweeps::page;
use kernel::{Amount, Asset, SweepId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::{cut, trx};

/// What is collected from a deposit address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SweepView {
    /// Its id.
    id: Uuid,
    /// Where it happens.
    #[schema(example = "tron")]
    network: String,
    /// `TRX` or `USDT`.
    #[schema(value_type = String, example = "USDT")]
    asset: Asset,
    /// `planned`, `activating`, `renting`, `processing`, `sent`, `completed` or `cancelled`.
    #[schema(value_type = String, example = "completed")]
    state: SweepState,
    /// The deposit address.
    from: Option<String>,
    /// The treasury wallet that it goes to; null before it is signed.
    to: Option<String>,
    /// How much; null before it is signed.
    #[schema(value_type = Option<String>, example = "12.500000")]
    amount: Option<Amount>,
    /// Transactions signed that collect.
    attempts: i32,
    /// The order that its energy was lent by.
    order_id: Option<Uuid>,
    /// Why it is not collected (yet), such as `bandwidth_short`.
    reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<(Sweep, Option<String>)> for SweepView {
    type Error = Problem;

    fn try_from((sweep, from): (Sweep, Option<String>)) -> Result<Self, Problem> {
        let unreadable = || Problem::internal(format!("sweep {} is of no asset", sweep.id));
        Ok(Self {
            id: sweep.id,
            asset: sweep.asset.parse().map_err(|_| unreadable())?,
            network: sweep.network,
            state: sweep.state,
            from,
            to: sweep.to_address,
            amount: sweep.amount.map(trx).transpose()?,
            attempts: sweep.attempts,
            order_id: sweep.order_id,
            reason: sweep.reason_code,
            created_at: sweep.created_at,
            updated_at: sweep.updated_at,
            ended_at: sweep.ended_at,
        })
    }
}

/// A page of sweeps, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SweepPage {
    items: Vec<SweepView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<SweepId>,
}

/// Lists what is collected from deposit addresses, newest first.
#[utoipa::path(get, path = "/api/operations/sweeps", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "Only in this state, or one of several with commas between"),
        ("asset" = Option<String>, Query, description = "Only of this asset"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = SweepPage)))]
pub(crate) async fn list_sweeps(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<SweepPage>, Problem> {
    let asset: Option<Asset> = query.take("asset")?;
    let filter = SweepFilter {
        states: query.take_words("state", SweepState::ALL, SweepState::word)?,
        asset: asset.map(Asset::code),
    };
    let before: Option<SweepId> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut sweeps = page(&app.pool, filter, before, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut sweeps, limit, |(sweep, _)| SweepId(sweep.id));
    let items = sweeps.into_iter().map(SweepView::try_from).collect::<Result<_, _>>()?;
    Ok(Json(SweepPage { items, next_cursor }))
}
