//! What orders of some time would have brought in under another price table.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;

use super::PriceBand;
use crate::Conn;

/// Orders that one band covers, or none.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct PreviewRow {
    /// The band's place in the table, from 1; `None`: orders that no band covers.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub band: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    /// What they brought in.
    #[diesel(sql_type = BigInt)]
    pub was_sun: i64,
    /// What they would.
    #[diesel(sql_type = BigInt)]
    pub would_sun: i64,
}

impl PreviewRow {
    /// Of the orders that customers placed in that time and that were not given back.
    pub async fn of(
        conn: &mut Conn,
        bands: &[PriceBand],
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> QueryResult<Vec<Self>> {
        diesel::sql_query(
            "WITH t AS (SELECT * FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY \
                AS t (energy_min, energy_max, duration_min_s, duration_max_s, price, band)), \
             o AS (SELECT energy, duration_s, count(*) AS orders, sum(price_sun) AS was FROM orders \
                WHERE created_at >= $6 AND created_at < $7 AND user_id > 0 \
                AND state NOT IN ('cancelled', 'failed', 'refunded') GROUP BY energy, duration_s) \
             SELECT t.band, sum(o.orders)::bigint AS orders, LEAST(sum(o.was), 9e18)::bigint AS was_sun, \
                LEAST(COALESCE(sum(o.orders * floor((o.energy::numeric * t.price + 999) / 1000)), 0), 9e18)::bigint AS would_sun \
             FROM o LEFT JOIN t ON o.energy BETWEEN t.energy_min AND t.energy_max \
                AND o.duration_s BETWEEN t.duration_min_s AND t.duration_max_s \
             GROUP BY t.band ORDER BY t.band NULLS LAST",
        )
        .bind::<Array<BigInt>, _>(bands.iter().map(|band| band.energy_min).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(bands.iter().map(|band| band.energy_max).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(bands.iter().map(|band| band.duration_min_s).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(bands.iter().map(|band| band.duration_max_s).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(bands.iter().map(|band| band.price_millisun_per_energy).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(to)
        .load(conn)
        .await
    }
}
