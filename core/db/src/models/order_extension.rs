//! Time that was bought for rentals that run.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Conn;
use crate::schema::order_extensions as e;

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = e, check_for_backend(diesel::pg::Pg))]
pub struct OrderExtension {
    pub id: Uuid,
    pub order_id: Uuid,
    pub api_key_id: Uuid,
    pub duration_s: i32,
    pub price_sun: i64,
    pub price_version_id: Uuid,
    pub ends_at_before: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

impl OrderExtension {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(e::table).values(self).execute(conn).await.map(drop)
    }

    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        e::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    /// Of these orders, oldest first.
    pub async fn of_orders(conn: &mut Conn, orders: &[Uuid]) -> QueryResult<Vec<Self>> {
        e::table
            .filter(e::order_id.eq_any(orders))
            .order(e::ends_at)
            .select(Self::as_select())
            .load(conn)
            .await
    }
}
