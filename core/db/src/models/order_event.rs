//! An order's timeline.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::OrderState;
use crate::Conn;
use crate::schema::order_events as e;

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = e, check_for_backend(diesel::pg::Pg))]
pub struct OrderEvent {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub event: String,
    pub state: OrderState,
    pub actor: String,
    pub detail: serde_json::Value,
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = e)]
pub struct NewOrderEvent<'a> {
    pub order_id: Uuid,
    pub at: DateTime<Utc>,
    pub event: &'a str,
    pub state: OrderState,
    pub actor: &'a str,
    pub detail: serde_json::Value,
}

impl NewOrderEvent<'_> {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(e::table).values(self).execute(conn).await.map(drop)
    }

    pub async fn insert_many(conn: &mut Conn, events: &[Self]) -> QueryResult<()> {
        diesel::insert_into(e::table)
            .values(events)
            .execute(conn)
            .await
            .map(drop)
    }
}

impl OrderEvent {
    /// The timeline, oldest first.
    pub async fn of_order(conn: &mut Conn, order: Uuid) -> QueryResult<Vec<Self>> {
        e::table
            .filter(e::order_id.eq(order))
            .order(e::id)
            .limit(1000)
            .select(Self::as_select())
            .load(conn)
            .await
    }
}
