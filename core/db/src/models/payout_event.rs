//! A payout's timeline.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use super::PayoutState;
use crate::schema::payout_events as e;
use crate::{Conn, trail};

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = e, check_for_backend(diesel::pg::Pg))]
pub struct PayoutEvent {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub event: String,
    pub state: PayoutState,
    pub actor: String,
    pub detail: serde_json::Value,
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = e)]
pub struct NewPayoutEvent<'a> {
    pub payout_id: Uuid,
    pub at: DateTime<Utc>,
    pub event: &'a str,
    pub state: PayoutState,
    pub actor: &'a str,
    pub detail: serde_json::Value,
}

impl NewPayoutEvent<'_> {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        trail::changed(|| json!({ "payout": self.payout_id, "event": self.event, "state": self.state }));
        diesel::insert_into(e::table).values(self).execute(conn).await.map(drop)
    }
}

impl PayoutEvent {
    /// The timeline, oldest first.
    pub async fn of_payout(conn: &mut Conn, payout: Uuid) -> QueryResult<Vec<Self>> {
        e::table
            .filter(e::payout_id.eq(payout))
            .order(e::id)
            .limit(1000)
            .select(Self::as_select())
            .load(conn)
            .await
    }
}
