//! Supplier wallets: taken in, shown, read from the chain again, switched on and off.

pub(crate) mod add;
pub(crate) mod get;
pub(crate) mod get_permissions;
pub(crate) mod list;
pub(crate) mod list_snapshots;
pub(crate) mod process_orders;
pub(crate) mod replace_key;
mod secrets;
pub(crate) mod toggle;
pub(crate) mod update_balances;

use chrono::{DateTime, Utc};
use db::models::{SupplierWallet, WalletPurpose, WalletState};
use domain::wallets::{Shown, shown};
use kernel::Amount;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use replace_key::KeyReplacementView;

use super::trx;
use crate::App;
use crate::problem::Problem;

/// A wallet of ours, with staked TRX or with money to pay out. Its key is never shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SupplierWalletView {
    id: Uuid,
    /// Known once a worker has opened the key, unless it was given.
    address: Option<String>,
    /// The key's own address: another than the account's where a permission of the account names it.
    key_address: Option<String>,
    label: Option<String>,
    /// `supply`: its energy is lent. `treasury`: payouts leave from it.
    #[schema(value_type = String, example = "supply")]
    purpose: WalletPurpose,
    /// In one word: `importing`; `rejected`; `in_service` (it takes new orders); `isolated` (it gets none until it is tried
    /// again or released); `on_probation` (it is tried again: one failure isolates it anew); `draining` (switched off, and it
    /// still lends); `disabled` (switched off, and it lends nothing).
    #[schema(example = "in_service")]
    standing: &'static str,
    /// Rentals that are promised, lent, or being taken back.
    rentals: i64,
    /// When the last of those that began ends.
    rentals_until: Option<DateTime<Utc>>,
    /// `importing`, `active` or `rejected`.
    #[schema(value_type = String, example = "active")]
    state: WalletState,
    rejected_reason: Option<String>,
    /// Whether it takes new orders.
    enabled: bool,
    /// Since when it gets no orders because its transactions failed, or something is wrong with it; switching it on
    /// releases it.
    isolated_at: Option<DateTime<Utc>>,
    isolated_reason: Option<String>,
    /// When it is tried again by itself; null while it is isolated: only an operator releases it.
    probation_at: Option<DateTime<Utc>>,
    /// Transactions that died since the last success.
    failures: i32,
    /// 0 the owner's key, 2 to 9 an active permission.
    permission_id: i32,
    /// The last key that was to take another's place; null: there was none.
    key_replacement: Option<KeyReplacementView>,
    /// TRX, as the chain said at the last sync; so are the stakes below.
    #[schema(value_type = String, example = "120.000000")]
    balance: Amount,
    #[schema(value_type = String)]
    staked_energy: Amount,
    #[schema(value_type = String)]
    staked_bandwidth: Amount,
    #[schema(value_type = String)]
    delegated_energy: Amount,
    /// Stake that can be delegated, before what is reserved since.
    #[schema(value_type = String)]
    delegatable: Amount,
    /// Stake promised to delegations that the last sync did not see.
    #[schema(value_type = String)]
    reserved: Amount,
    /// USDT, as the chain said at the last sync; read for treasury wallets alone.
    #[schema(value_type = String)]
    usdt_balance: Amount,
    /// Bandwidth points.
    bandwidth_available: i64,
    synced_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl SupplierWalletView {
    /// One wallet, with all that is shown of it.
    async fn find(app: &App, wallet: SupplierWallet) -> Result<Self, Problem> {
        let shown = shown(&app.pool, vec![wallet]).await?;
        let first = shown.into_iter().next();
        first
            .ok_or_else(|| Problem::internal("a wallet that was there is not shown"))?
            .try_into()
    }
}

impl TryFrom<Shown> for SupplierWalletView {
    type Error = Problem;

    fn try_from(shown: Shown) -> Result<Self, Problem> {
        let wallet = shown.wallet;
        Ok(Self {
            id: wallet.id,
            standing: shown.standing.word(),
            rentals: shown.rentals,
            rentals_until: shown.rentals_until,
            key_replacement: shown.replacement.map(KeyReplacementView::from),
            key_address: wallet.key_address().map(ToOwned::to_owned),
            address: wallet.address,
            label: wallet.label,
            purpose: wallet.purpose,
            state: wallet.state,
            rejected_reason: wallet.rejected_reason,
            enabled: wallet.enabled,
            isolated_at: wallet.isolated_at,
            isolated_reason: wallet.isolated_reason,
            probation_at: wallet.probation_at,
            failures: wallet.failures,
            permission_id: wallet.permission_id,
            balance: trx(wallet.balance_sun)?,
            staked_energy: trx(wallet.staked_energy_sun)?,
            staked_bandwidth: trx(wallet.staked_bandwidth_sun)?,
            delegated_energy: trx(wallet.delegated_energy_sun)?,
            delegatable: trx(wallet.delegatable_sun)?,
            reserved: trx(wallet.reserved_sun)?,
            usdt_balance: trx(wallet.usdt_micro)?,
            bandwidth_available: wallet.bandwidth_available,
            synced_at: wallet.synced_at,
            created_at: wallet.created_at,
            updated_at: wallet.updated_at,
        })
    }
}
