//! An order's timeline.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use super::OrderState;
use crate::schema::order_events as e;
use crate::{Conn, Prepare as _, trail};

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
    fn note(&self) {
        trail::changed(|| json!({ "order": self.order_id, "event": self.event, "state": self.state }));
    }

    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        self.note();
        diesel::insert_into(e::table)
            .values(self)
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// One text for any number of them.
    pub async fn insert_many(conn: &mut Conn, events: &[Self]) -> QueryResult<()> {
        events.iter().for_each(Self::note);
        diesel::sql_query(
            "INSERT INTO order_events (order_id, at, event, state, actor, detail) \
             SELECT order_id, at, event, state, actor, detail \
             FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY AS n (order_id, at, event, state, actor, detail, place) \
             ORDER BY place",
        )
        .bind::<Array<SqlUuid>, _>(events.iter().map(|row| row.order_id).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(events.iter().map(|row| row.at).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(events.iter().map(|row| row.event).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(events.iter().map(|row| row.state).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(events.iter().map(|row| row.actor).collect::<Vec<_>>())
        .bind::<Array<Jsonb>, _>(events.iter().map(|row| &row.detail).collect::<Vec<_>>())
        .prepared()
        .execute(conn)
        .await
        .map(drop)
    }
}

impl OrderEvent {
    /// Of these orders, those that this happened to.
    pub async fn orders_with(conn: &mut Conn, orders: &[Uuid], event: &str) -> QueryResult<Vec<Uuid>> {
        e::table
            .filter(e::order_id.eq_any(orders))
            .filter(e::event.eq(event))
            .select(e::order_id)
            .load(conn)
            .await
    }

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
