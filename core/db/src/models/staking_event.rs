//! A staking's timeline.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::StakingState;
use crate::Conn;
use crate::schema::staking_events as e;

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = e, check_for_backend(diesel::pg::Pg))]
pub struct StakingEvent {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub event: String,
    pub state: StakingState,
    pub actor: String,
    pub detail: serde_json::Value,
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = e)]
pub struct NewStakingEvent<'a> {
    pub staking_id: Uuid,
    pub at: DateTime<Utc>,
    pub event: &'a str,
    pub state: StakingState,
    pub actor: &'a str,
    pub detail: serde_json::Value,
}

impl NewStakingEvent<'_> {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(e::table).values(self).execute(conn).await.map(drop)
    }
}

impl StakingEvent {
    /// The timeline, oldest first.
    pub async fn of_staking(conn: &mut Conn, staking: Uuid) -> QueryResult<Vec<Self>> {
        e::table
            .filter(e::staking_id.eq(staking))
            .order(e::id)
            .limit(1000)
            .select(Self::as_select())
            .load(conn)
            .await
    }
}
