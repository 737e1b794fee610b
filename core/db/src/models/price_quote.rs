//! Prices that hold for a while.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::price_quotes as q;
use crate::{Conn, Prepare as _};

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = q, check_for_backend(diesel::pg::Pg))]
pub struct PriceQuote {
    pub id: Uuid,
    /// Who may use it.
    pub api_key_id: Uuid,
    pub energy: i64,
    pub duration_s: i32,
    pub price_sun: i64,
    pub price_version_id: Uuid,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// The order that was placed on it.
    pub order_id: Option<Uuid>,
}

impl PriceQuote {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(q::table)
            .values(self)
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// Of this key; another key's is not there.
    pub async fn lock(conn: &mut Conn, id: Uuid, api_key: Uuid) -> QueryResult<Option<Self>> {
        q::table
            .filter(q::id.eq(id).and(q::api_key_id.eq(api_key)))
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// Guarded: it was not used.
    pub async fn set_order(conn: &mut Conn, id: Uuid, order: Uuid) -> QueryResult<bool> {
        let row = q::table.filter(q::id.eq(id).and(q::order_id.is_null()));
        let set = q::order_id.eq(order);
        Ok(diesel::update(row).set(set).prepared().execute(conn).await? == 1)
    }

    /// Removes up to `limit` that ended before `before` and that nobody used; answers how many. What
    /// they hold is given back first, by others.
    pub async fn prune(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> QueryResult<usize> {
        diesel::sql_query(
            "DELETE FROM price_quotes WHERE id IN (SELECT id FROM price_quotes \
                WHERE order_id IS NULL AND expires_at < $1 \
                    AND NOT EXISTS (SELECT 1 FROM stock_holds h WHERE h.quote_id = price_quotes.id) \
                ORDER BY expires_at LIMIT $2)",
        )
        .bind::<Timestamptz, _>(before)
        .bind::<BigInt, _>(limit)
        .execute(conn)
        .await
    }
}
