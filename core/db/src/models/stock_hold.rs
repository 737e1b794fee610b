//! Stake that quotes have set aside.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::{price_quotes as q, stock_holds as h};
use crate::{Conn, Prepare as _};

/// Of one wallet for one quote. As long as it is there, the wallet's reservation counts it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = h, check_for_backend(diesel::pg::Pg))]
pub struct StockHold {
    pub quote_id: Uuid,
    pub wallet_id: Uuid,
    pub amount_sun: i64,
}

#[derive(QueryableByName)]
struct Energy {
    #[diesel(sql_type = BigInt)]
    energy: i64,
}

#[derive(QueryableByName)]
struct WalletId {
    #[diesel(sql_type = SqlUuid)]
    wallet_id: Uuid,
}

impl StockHold {
    pub async fn insert_many(conn: &mut Conn, holds: &[Self]) -> QueryResult<()> {
        diesel::insert_into(h::table)
            .values(holds)
            .execute(conn)
            .await
            .map(drop)
    }

    /// Orders of these whose quotes hold stake still.
    pub async fn orders_held_for(conn: &mut Conn, orders: &[Uuid]) -> QueryResult<Vec<Uuid>> {
        let holds = diesel::dsl::exists(h::table.filter(h::quote_id.eq(q::id)));
        let ids: Vec<Option<Uuid>> = q::table
            .filter(q::order_id.eq_any(orders).and(holds))
            .select(q::order_id)
            .load(conn)
            .await?;
        Ok(ids.into_iter().flatten().collect())
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

    /// Removes what is held for these orders. Answers the wallets, whose reservations are to be counted anew.
    pub async fn remove_of_orders(conn: &mut Conn, orders: &[Uuid]) -> QueryResult<BTreeSet<Uuid>> {
        let removed: Vec<WalletId> = diesel::sql_query(
            "DELETE FROM stock_holds h USING price_quotes q WHERE h.quote_id = q.id AND q.order_id = ANY ($1) \
             RETURNING h.wallet_id",
        )
        .bind::<Array<SqlUuid>, _>(orders)
        .prepared()
        .load(conn)
        .await?;
        Ok(removed.into_iter().map(|row| row.wallet_id).collect())
    }

    /// Removes what up to `limit` quotes hold that are over and that nobody used. Answers the wallets, whose reservations are
    /// to be counted anew.
    pub async fn remove_unused(conn: &mut Conn, now: DateTime<Utc>, limit: i64) -> QueryResult<BTreeSet<Uuid>> {
        let removed: Vec<WalletId> = diesel::sql_query(
            "DELETE FROM stock_holds WHERE quote_id IN (SELECT q.id FROM price_quotes q \
                WHERE q.id IN (SELECT quote_id FROM stock_holds) AND q.order_id IS NULL AND q.expires_at <= $1 \
                ORDER BY q.expires_at LIMIT $2) \
             RETURNING wallet_id",
        )
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await?;
        Ok(removed.into_iter().map(|row| row.wallet_id).collect())
    }
}
