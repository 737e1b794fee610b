//! `GET /api/operations/pool`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chain::EnergyMarket;
use chrono::{DateTime, Utc};
use db::models::UnfreezingRow;
use domain::pool::{WalletStock, wallets};
use kernel::{Amount, WalletId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::pool::{OutlookView, UNREAD, outlook};
use crate::routes::{cut, trx};

/// What one supply wallet has for sale.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalletStockView {
    id: Uuid,
    address: Option<String>,
    label: Option<String>,
    /// Whether it takes orders.
    sells: bool,
    /// Why not: `disabled` or `isolated`.
    #[schema(value_type = Option<String>)]
    why_not: Option<&'static str>,
    /// Energy that it can lend now, whether or not it takes orders.
    available_energy: i64,
    /// Energy that is used and recovers within a day.
    recovering_energy: i64,
    /// TRX that it has liquid.
    #[schema(value_type = String, example = "120.000000")]
    balance: Amount,
    /// Bandwidth points for one transaction.
    bandwidth_available: i64,
    /// Stake that was given up.
    unfreezing: Vec<UnfreezingView>,
    /// When its figures were read from the chain.
    read_at: Option<DateTime<Utc>>,
    /// The next 24 hours, one line for each.
    forecast: Vec<OutlookView>,
}

/// Stake that was given up and becomes liquid.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnfreezingView {
    /// `energy` or `bandwidth`.
    resource: String,
    /// TRX.
    #[schema(value_type = String)]
    amount: Amount,
    /// From when it can be taken.
    ready_at: DateTime<Utc>,
}

/// A page of supply wallets, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PoolPage {
    items: Vec<WalletStockView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<WalletId>,
}

/// Lists what each supply wallet has for sale now and in the next 24 hours, oldest wallet first.
#[utoipa::path(get, path = "/api/operations/pool", tag = "operations",
    params(
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = PoolPage)))]
pub(crate) async fn list_pool(State(app): State<Arc<App>>, mut query: QueryParams) -> Result<Json<PoolPage>, Problem> {
    let after: Option<WalletId> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let (rules, now) = (app.rules(), app.clock.now());
    let network = &rules.policy.network;
    let (market, mut rows) = wallets(&app.pool, network, after, i64::from(limit) + 1, now).await?;
    let market = market.unwrap_or(UNREAD);
    let next_cursor = cut(&mut rows, limit, |row| WalletId(row.wallet.id));
    let items = rows.into_iter().map(|row| view(row, market, now));
    Ok(Json(PoolPage {
        items: items.collect::<Result<_, _>>()?,
        next_cursor,
    }))
}

fn view(row: WalletStock, market: EnergyMarket, now: DateTime<Utc>) -> Result<WalletStockView, Problem> {
    let WalletStock { wallet, stock } = row;
    let why_not = match (wallet.enabled, wallet.isolated_at) {
        (false, _) => Some("disabled"),
        (true, Some(_)) => Some("isolated"),
        (true, None) => None,
    };
    let unfreezing = wallet.unfreezing().into_iter().map(unfreezing_view);
    Ok(WalletStockView {
        unfreezing: unfreezing.collect::<Result<_, _>>()?,
        id: wallet.id,
        address: wallet.address,
        label: wallet.label,
        sells: why_not.is_none(),
        why_not,
        available_energy: market.about_energy(stock.room_sun),
        recovering_energy: market.about_energy(stock.occupied_sun),
        balance: trx(wallet.balance_sun)?,
        bandwidth_available: wallet.bandwidth_available,
        read_at: wallet.synced_at,
        forecast: outlook(&stock, market, now),
    })
}

fn unfreezing_view(row: UnfreezingRow) -> Result<UnfreezingView, Problem> {
    Ok(UnfreezingView {
        resource: row.resource,
        amount: trx(row.amount_sun)?,
        ready_at: row.ready_at,
    })
}
