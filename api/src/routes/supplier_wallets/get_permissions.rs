//! `GET /api/supplier-wallets/{id}/permissions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use db::models::WalletPermission;
use domain::wallets::permissions_of;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::path;
use crate::problem::Problem;

/// What a wallet's key can do, as the chain said at the last read of each network.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalletPermissionsView {
    wallet_id: Uuid,
    /// The account that is signed for.
    address: Option<String>,
    /// The key's own address: another than the account's where a permission of the account names it.
    key_address: Option<String>,
    /// 0 the owner's, which can do everything; 2 to 9 an active permission.
    permission_id: i32,
    /// Empty until the key is in and was read, and again from its replacement to the next read.
    reads: Vec<PermissionReadView>,
}

/// One read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PermissionReadView {
    network: String,
    read_at: DateTime<Utc>,
    /// The newest block at that time.
    block: i64,
    /// What the account's owner calls the permission; null: there is none of this id.
    permission_name: Option<String>,
    /// Weight that signatures have to reach.
    threshold: i64,
    /// The key's; 0 where the permission does not name it.
    weight: i64,
    /// Whether the key's signature is enough.
    signs_alone: bool,
    /// 64 hex digits, a bit for each contract type; null: an owner's, which allows everything.
    operations: Option<String>,
    /// What the permission allows: `delegate`, `undelegate`, `freeze`, `unfreeze`, `vote`, `transfer_trx`, `call_contracts`,
    /// `change_permissions` …
    can: Vec<String>,
    /// What the wallet's purpose needs and the permission does not allow.
    lacks: Vec<String>,
    /// What the key alone may do with coin and tokens, by whichever permission of the account.
    moves_money: Vec<String>,
    /// Why the key cannot sign for what the wallet is for: `no_such_permission`, `key_not_named`, `weight_below_threshold`,
    /// `operations_missing`; null: it can.
    problem: Option<String>,
}

impl From<WalletPermission> for PermissionReadView {
    fn from(row: WalletPermission) -> Self {
        Self {
            network: row.network,
            read_at: row.read_at,
            block: row.as_of_block,
            permission_name: row.permission_name,
            threshold: row.threshold,
            weight: row.weight,
            signs_alone: row.signs_alone,
            operations: row.operations,
            can: words(row.can),
            lacks: words(row.lacks),
            moves_money: words(row.moves_money),
            problem: row.problem,
        }
    }
}

fn words(list: Value) -> Vec<String> {
    serde_json::from_value(list).unwrap_or_default()
}

/// Shows what a wallet's key can do by its account's permissions, as the chain said at the last read.
#[utoipa::path(get, path = "/api/supplier-wallets/{id}/permissions", tag = "supplier wallets",
    params(("id" = Uuid, Path, description = "The wallet")),
    responses((status = 200, description = "What the last reads said", body = WalletPermissionsView)))]
pub(crate) async fn get_supplier_wallet_permissions(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<WalletPermissionsView>, Problem> {
    let (wallet, reads) = permissions_of(&app.pool, path("id", &id)?).await?;
    Ok(Json(WalletPermissionsView {
        wallet_id: wallet.id,
        key_address: wallet.key_address().map(ToOwned::to_owned),
        address: wallet.address,
        permission_id: wallet.permission_id,
        reads: reads.into_iter().map(PermissionReadView::from).collect(),
    }))
}
