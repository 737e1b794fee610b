//! When lent stake comes back.

use chrono::{DateTime, Duration, Utc};
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::Delegation;
use crate::{Conn, Prepare as _};

/// Whole hours from `$2`; what is overdue counts as within the first.
const HOUR: &str = "GREATEST(floor(extract(epoch FROM d.ends_at - $2) / 3600), 0)::bigint AS hour";

#[derive(QueryableByName)]
struct OfPool {
    #[diesel(sql_type = BigInt)]
    hour: i64,
    #[diesel(sql_type = BigInt)]
    sun: i64,
}

#[derive(QueryableByName)]
struct OfWallet {
    #[diesel(sql_type = SqlUuid)]
    wallet_id: Uuid,
    #[diesel(sql_type = BigInt)]
    hour: i64,
    #[diesel(sql_type = BigInt)]
    sun: i64,
}

impl Delegation {
    /// Staked sun that comes back to wallets that take orders, by the hour from now.
    pub async fn endings_of_pool(
        conn: &mut Conn,
        network: &str,
        now: DateTime<Utc>,
        hours: i64,
    ) -> QueryResult<Vec<(i64, i64)>> {
        let rows = diesel::sql_query(format!(
            "SELECT {HOUR}, sum(d.amount_sun)::bigint AS sun \
             FROM delegations d JOIN supplier_wallets w ON w.id = d.wallet_id \
             WHERE d.network = $1 AND d.state IN ('active', 'reclaiming') AND d.ends_at < $3 \
                AND w.enabled AND w.isolated_at IS NULL \
             GROUP BY 1 ORDER BY 1"
        ))
        .bind::<Text, _>(network)
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(now + Duration::hours(hours))
        .prepared()
        .load::<OfPool>(conn)
        .await?;
        Ok(rows.into_iter().map(|row| (row.hour, row.sun)).collect())
    }

    /// The same of these wallets, each.
    pub async fn endings_of(
        conn: &mut Conn,
        network: &str,
        wallets: &[Uuid],
        now: DateTime<Utc>,
        hours: i64,
    ) -> QueryResult<Vec<(Uuid, i64, i64)>> {
        let rows = diesel::sql_query(format!(
            "SELECT d.wallet_id, {HOUR}, sum(d.amount_sun)::bigint AS sun FROM delegations d \
             WHERE d.network = $1 AND d.state IN ('active', 'reclaiming') AND d.ends_at < $3 AND d.wallet_id = ANY($4) \
             GROUP BY 1, 2 ORDER BY 1, 2"
        ))
        .bind::<Text, _>(network)
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(now + Duration::hours(hours))
        .bind::<Array<SqlUuid>, _>(wallets)
        .prepared()
        .load::<OfWallet>(conn)
        .await?;
        Ok(rows.into_iter().map(|row| (row.wallet_id, row.hour, row.sun)).collect())
    }
}
