//! `GET /api/supplier-wallets/{id}/snapshots`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use db::models::WalletSnapshotRow;
use domain::wallets::snapshots;
use kernel::{Amount, WalletId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::extract::{Moment, QueryParams, path};
use crate::problem::Problem;
use crate::routes::{cut, trx};

/// What the chain said of a wallet at one read. Stakes and balances are TRX.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalletSnapshotView {
    read_at: DateTime<Utc>,
    network: String,
    /// Every block up to this one is certainly in the figures.
    block: i64,
    #[schema(value_type = String, example = "120.000000")]
    balance: Amount,
    #[schema(value_type = String)]
    staked_energy: Amount,
    #[schema(value_type = String)]
    staked_bandwidth: Amount,
    #[schema(value_type = String)]
    delegated_energy: Amount,
    #[schema(value_type = String)]
    delegatable: Amount,
    /// Of stake that was given up: what is not liquid yet.
    #[schema(value_type = String)]
    unfreezing: Amount,
    /// Of stake that was given up: what can be taken.
    #[schema(value_type = String)]
    unfrozen: Amount,
    energy_limit: i64,
    energy_used: i64,
    bandwidth_limit: i64,
    bandwidth_used: i64,
    free_bandwidth_limit: i64,
    free_bandwidth_used: i64,
}

/// A page of reads, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalletSnapshotPage {
    items: Vec<WalletSnapshotView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<DateTime<Utc>>,
}

/// Lists what the chain said of a wallet, newest read first, as far back as `pool.snapshot_keep_days`.
#[utoipa::path(get, path = "/api/supplier-wallets/{id}/snapshots", tag = "supplier wallets",
    params(
        ("id" = uuid::Uuid, Path, description = "The wallet"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = WalletSnapshotPage)))]
pub(crate) async fn list_supplier_wallet_snapshots(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    mut query: QueryParams,
) -> Result<Json<WalletSnapshotPage>, Problem> {
    let id: WalletId = path("id", &id)?;
    let before: Option<Moment> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut rows = snapshots(&app.pool, id, before.map(|before| before.0), i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut rows, limit, |row| row.read_at);
    let items = rows.into_iter().map(view);
    Ok(Json(WalletSnapshotPage {
        items: items.collect::<Result<_, _>>()?,
        next_cursor,
    }))
}

fn view(row: WalletSnapshotRow) -> Result<WalletSnapshotView, Problem> {
    Ok(WalletSnapshotView {
        read_at: row.read_at,
        network: row.network,
        block: row.block,
        balance: trx(row.balance_sun)?,
        staked_energy: trx(row.staked_energy_sun)?,
        staked_bandwidth: trx(row.staked_bandwidth_sun)?,
        delegated_energy: trx(row.delegated_energy_sun)?,
        delegatable: trx(row.delegatable_sun)?,
        unfreezing: trx(row.unfreezing_sun)?,
        unfrozen: trx(row.unfrozen_sun)?,
        energy_limit: row.energy_limit,
        energy_used: row.energy_used,
        bandwidth_limit: row.bandwidth_limit,
        bandwidth_used: row.bandwidth_used,
        free_bandwidth_limit: row.free_bandwidth_limit,
        free_bandwidth_used: row.free_bandwidth_used,
    })
}
