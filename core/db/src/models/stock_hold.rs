//! Stake that quotes have set aside.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::stock_holds as h;
use crate::{Conn, Prepare as _};

/// Of one wallet for one quote. As long as it is there, the wallet's reservation counts it: a trigger does.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = h, check_for_backend(diesel::pg::Pg))]
pub struct StockHold {
    pub quote_id: Uuid,
    pub wallet_id: Uuid,
    pub amount_sun: i64,
}

/// What is held for an order.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct HeldForOrder {
    #[diesel(sql_type = SqlUuid)]
    pub order_id: Uuid,
    #[diesel(embed)]
    pub hold: StockHold,
}

#[derive(QueryableByName)]
struct Energy {
    #[diesel(sql_type = BigInt)]
    energy: i64,
}

impl StockHold {
    /// The caller holds the wallets.
    pub async fn insert_many(conn: &mut Conn, holds: &[Self]) -> QueryResult<()> {
        diesel::insert_into(h::table)
            .values(holds)
            .execute(conn)
            .await
            .map(drop)
    }

    /// Until this transaction ends, no other holds anything for this key.
    pub async fn lock_of_key(conn: &mut Conn, api_key: Uuid) -> QueryResult<()> {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('stock_holds ' || $1, 0))")
            .bind::<Text, _>(api_key.to_string())
            .execute(conn)
            .await
            .map(drop)
    }

    /// Energy that quotes of this key hold and that nobody ordered yet.
    pub async fn energy_of_key(conn: &mut Conn, api_key: Uuid) -> QueryResult<i64> {
        let row = diesel::sql_query(
            "SELECT coalesce(sum(energy), 0)::bigint AS energy FROM price_quotes \
             WHERE id IN (SELECT quote_id FROM stock_holds) AND api_key_id = $1 AND order_id IS NULL",
        )
        .bind::<SqlUuid, _>(api_key)
        .get_result::<Energy>(conn)
        .await?;
        Ok(row.energy)
    }

    /// What is held for these orders.
    pub async fn of_orders(conn: &mut Conn, orders: &[Uuid]) -> QueryResult<Vec<HeldForOrder>> {
        diesel::sql_query(
            "SELECT q.order_id, h.quote_id, h.wallet_id, h.amount_sun FROM price_quotes q \
             JOIN stock_holds h ON h.quote_id = q.id WHERE q.order_id = ANY ($1)",
        )
        .bind::<Array<SqlUuid>, _>(orders)
        .prepared()
        .load(conn)
        .await
    }

    /// What quotes hold that are over and that nobody used, at most `limit`.
    pub async fn unused(conn: &mut Conn, now: DateTime<Utc>, limit: i64) -> QueryResult<Vec<Self>> {
        diesel::sql_query(
            "SELECT h.quote_id, h.wallet_id, h.amount_sun FROM stock_holds h JOIN price_quotes q ON q.id = h.quote_id \
             WHERE q.order_id IS NULL AND q.expires_at <= $1 LIMIT $2",
        )
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await
    }

    /// Removes what these quotes hold. The caller holds the wallets.
    pub async fn remove(conn: &mut Conn, quotes: &[Uuid]) -> QueryResult<()> {
        diesel::delete(h::table.filter(h::quote_id.eq_any(quotes)))
            .execute(conn)
            .await
            .map(drop)
    }
}
