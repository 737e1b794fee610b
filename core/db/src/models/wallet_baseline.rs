//! What a supply wallet had when nothing was missing.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::wallet_baselines as b;
use crate::{Conn, Prepare as _};

/// Read and written under the wallet's lock.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = b, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
pub struct WalletBaseline {
    pub wallet_id: Uuid,
    pub network: String,
    /// Liquid, staked, and on its way back from stake.
    pub coin_sun: i64,
    /// Stake for energy, lent or not.
    pub energy_sun: i64,
    /// Stake for bandwidth, lent or not.
    pub bandwidth_sun: i64,
    /// Every block up to this one is certainly in it.
    pub block: i64,
    /// Since when reads show less than can be explained.
    pub short_since: Option<DateTime<Utc>>,
}

impl WalletBaseline {
    pub async fn find(conn: &mut Conn, wallet: Uuid, network: &str) -> QueryResult<Option<Self>> {
        b::table
            .find((wallet, network))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// Takes the place of what was there.
    pub async fn write(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(b::table)
            .values(self)
            .on_conflict((b::wallet_id, b::network))
            .do_update()
            .set(self)
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// A read shows less than can be explained.
    pub async fn set_short(conn: &mut Conn, wallet: Uuid, network: &str, since: DateTime<Utc>) -> QueryResult<()> {
        diesel::update(b::table.find((wallet, network)))
            .set(b::short_since.eq(since))
            .execute(conn)
            .await
            .map(drop)
    }
}
