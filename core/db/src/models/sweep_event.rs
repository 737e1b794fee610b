//! A sweep's timeline.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::SweepState;
use crate::Conn;
use crate::schema::sweep_events as e;

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = e, check_for_backend(diesel::pg::Pg))]
pub struct SweepEvent {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub event: String,
    pub state: SweepState,
    pub actor: String,
    pub detail: serde_json::Value,
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = e)]
pub struct NewSweepEvent<'a> {
    pub sweep_id: Uuid,
    pub at: DateTime<Utc>,
    pub event: &'a str,
    pub state: SweepState,
    pub actor: &'a str,
    pub detail: serde_json::Value,
}

impl NewSweepEvent<'_> {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(e::table).values(self).execute(conn).await.map(drop)
    }
}

impl SweepEvent {
    /// The timeline, oldest first.
    pub async fn of_sweep(conn: &mut Conn, sweep: Uuid) -> QueryResult<Vec<Self>> {
        e::table
            .filter(e::sweep_id.eq(sweep))
            .order(e::id)
            .limit(1000)
            .select(Self::as_select())
            .load(conn)
            .await
    }
}
