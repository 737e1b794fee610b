//! What the chain said of each wallet at each read.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::wallet_snapshots as s;
use crate::{Conn, Prepare as _};

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = s, check_for_backend(diesel::pg::Pg))]
pub struct WalletSnapshotRow {
    pub wallet_id: Uuid,
    pub network: String,
    pub read_at: DateTime<Utc>,
    /// Every block up to this one is certainly in the figures.
    pub block: i64,
    pub balance_sun: i64,
    pub staked_energy_sun: i64,
    pub staked_bandwidth_sun: i64,
    pub delegated_energy_sun: i64,
    pub delegatable_sun: i64,
    /// Given up and not liquid yet.
    pub unfreezing_sun: i64,
    /// Given up, and can be taken.
    pub unfrozen_sun: i64,
    pub energy_limit: i64,
    pub energy_used: i64,
    pub bandwidth_limit: i64,
    pub bandwidth_used: i64,
    pub free_bandwidth_limit: i64,
    pub free_bandwidth_used: i64,
}

#[derive(QueryableByName)]
struct Dropped {
    #[diesel(sql_type = BigInt)]
    parts: i64,
}

impl WalletSnapshotRow {
    /// Two reads in one microsecond are one.
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(s::table)
            .values(self)
            .on_conflict_do_nothing()
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// A wallet's reads before `before`, the newest first.
    pub async fn page(conn: &mut Conn, wallet: Uuid, before: DateTime<Utc>, limit: i64) -> QueryResult<Vec<Self>> {
        s::table
            .filter(s::wallet_id.eq(wallet).and(s::read_at.lt(before)))
            .order((s::read_at.desc(), s::network))
            .limit(limit)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Makes the part for the month of `at`, where it is missing. Outside of transactions that hold wallets: it waits for
    /// everybody who writes a snapshot.
    pub async fn make_month(conn: &mut Conn, at: DateTime<Utc>) -> QueryResult<()> {
        diesel::sql_query("SELECT wallet_snapshots_month($1)")
            .bind::<Timestamptz, _>(at)
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// Drops the parts that hold nothing younger than `before`; answers how many.
    pub async fn drop_before(conn: &mut Conn, before: DateTime<Utc>) -> QueryResult<i64> {
        diesel::sql_query("SELECT wallet_snapshots_drop($1) AS parts")
            .bind::<Timestamptz, _>(before)
            .get_result(conn)
            .await
            .map(|dropped: Dropped| dropped.parts)
    }
}
