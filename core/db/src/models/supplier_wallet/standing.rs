//! What wallets lend at this moment.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::SupplierWallet;
use crate::{Conn, Prepare as _};

/// The live rentals of one wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Lending {
    #[diesel(sql_type = SqlUuid)]
    pub wallet_id: Uuid,
    /// How many are promised, lent, or being taken back.
    #[diesel(sql_type = BigInt)]
    pub rentals: i64,
    /// When the last of those that began ends.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub until: Option<DateTime<Utc>>,
}

impl SupplierWallet {
    /// The live rentals of these wallets; one that has none is not in the answer.
    pub async fn lending(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Lending>> {
        diesel::sql_query(
            "SELECT wallet_id, count(*) AS rentals, max(ends_at) AS until FROM delegations \
             WHERE wallet_id = ANY($1) AND state IN ('reserved', 'active', 'reclaiming') GROUP BY wallet_id",
        )
        .bind::<Array<SqlUuid>, _>(ids)
        .prepared()
        .load(conn)
        .await
    }
}
