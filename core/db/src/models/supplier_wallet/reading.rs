//! What the chain said of a wallet at the last read.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SupplierWallet;
use crate::schema::supplier_wallets as w;
use crate::{Conn, Prepare as _};

/// What the chain said of a wallet, and what of our promises it cannot have seen.
#[derive(Debug, Clone, AsChangeset)]
#[diesel(table_name = w)]
pub struct WalletFigures {
    pub balance_sun: i64,
    pub staked_energy_sun: i64,
    pub staked_bandwidth_sun: i64,
    pub delegated_energy_sun: i64,
    pub delegatable_sun: i64,
    pub bandwidth_available: i64,
    /// A list of [`UnfreezingRow`]s.
    pub unfreezing: serde_json::Value,
    /// `None` leaves it as it is: it was not asked for.
    pub usdt_micro: Option<i64>,
    pub synced_block: i64,
    pub synced_at: DateTime<Utc>,
    pub reserved_sun: i64,
    pub updated_at: DateTime<Utc>,
}

/// Stake that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnfreezingRow {
    /// `energy` or `bandwidth`.
    pub resource: String,
    pub amount_sun: i64,
    /// From when it can be taken.
    pub ready_at: DateTime<Utc>,
}

impl SupplierWallet {
    /// Stake that was given up; nothing where the row cannot be read, which the database's own checks keep from happening.
    #[must_use]
    pub fn unfreezing(&self) -> Vec<UnfreezingRow> {
        serde_json::from_value(self.unfreezing.clone()).unwrap_or_default()
    }

    pub async fn set_figures(conn: &mut Conn, id: Uuid, figures: &WalletFigures) -> QueryResult<()> {
        diesel::update(w::table.find(id))
            .set(figures)
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// No figures are certain to hold blocks above `number` any more: a fork took those back.
    pub async fn forget_above(conn: &mut Conn, number: i64) -> QueryResult<usize> {
        let rows = w::table.filter(w::synced_block.gt(number));
        diesel::update(rows).set(w::synced_block.eq(number)).execute(conn).await
    }
}
