//! Recent applied blocks.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::schema::blocks;
use crate::{Conn, Prepare as _};

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = blocks, check_for_backend(diesel::pg::Pg))]
pub struct BlockRow {
    pub network: String,
    pub number: i64,
    pub block_id: String,
    pub parent_id: String,
    pub block_time: DateTime<Utc>,
    pub transaction_count: i32,
    pub ours: i32,
}

impl BlockRow {
    /// One text for any number of them.
    pub async fn insert_many(conn: &mut Conn, rows: &[Self]) -> QueryResult<()> {
        diesel::sql_query(
            "INSERT INTO blocks (network, number, block_id, parent_id, block_time, transaction_count, ours) \
             SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.network.as_str()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.number).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.block_id.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.parent_id.as_str()).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.block_time).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(rows.iter().map(|row| row.transaction_count).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(rows.iter().map(|row| row.ours).collect::<Vec<_>>())
        .prepared()
        .execute(conn)
        .await
        .map(drop)
    }

    pub async fn find(conn: &mut Conn, network: &str, number: i64) -> QueryResult<Option<Self>> {
        blocks::table
            .find((network, number))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// Whether a block after `from` and up to `until` carries a transaction of ours.
    pub async fn any_of_ours(
        conn: &mut Conn,
        network: &str,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let rows = blocks::table
            .filter(blocks::network.eq(network).and(blocks::ours.gt(0)))
            .filter(blocks::block_time.gt(from).and(blocks::block_time.le(until)));
        diesel::select(diesel::dsl::exists(rows)).get_result(conn).await
    }

    /// The blocks above `number`, lowest first: what a fork takes back.
    pub async fn above(conn: &mut Conn, network: &str, number: i64) -> QueryResult<Vec<Self>> {
        blocks::table
            .filter(blocks::network.eq(network).and(blocks::number.gt(number)))
            .order(blocks::number)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    pub async fn delete_above(conn: &mut Conn, network: &str, number: i64) -> QueryResult<usize> {
        diesel::delete(blocks::table.filter(blocks::network.eq(network).and(blocks::number.gt(number))))
            .execute(conn)
            .await
    }

    /// Forgets blocks that are too old to matter.
    pub async fn delete_below(conn: &mut Conn, network: &str, number: i64) -> QueryResult<usize> {
        diesel::delete(blocks::table.filter(blocks::network.eq(network).and(blocks::number.lt(number))))
            .execute(conn)
            .await
    }
}
