//! Switches that operators throw at run time.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::Conn;
use crate::schema::switches as s;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = s, check_for_backend(diesel::pg::Pg))]
pub struct Switch {
    pub name: String,
    pub enabled: bool,
    pub reason: String,
    pub actor: String,
    pub updated_at: DateTime<Utc>,
}

impl Switch {
    /// While on, no new order is accepted; running ones finish.
    pub const MAINTENANCE: &'static str = "maintenance";

    /// While on, no payout is accepted and none is signed; what was signed goes on.
    pub const PAYOUTS: &'static str = "payouts";

    /// While on, no sweep is planned and nothing of one is signed; what was signed goes on.
    pub const SWEEPS: &'static str = "sweeps";

    /// Whether a switch is on; one that was never thrown is off.
    pub async fn is_on(conn: &mut Conn, name: &str) -> QueryResult<bool> {
        let on = s::table.find(name).select(s::enabled).first(conn).await.optional()?;
        Ok(on.unwrap_or(false))
    }

    /// Those that were ever thrown.
    pub async fn list(conn: &mut Conn) -> QueryResult<Vec<Self>> {
        s::table
            .order(s::name)
            .limit(100)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    pub async fn throw(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(s::table)
            .values(self)
            .on_conflict(s::name)
            .do_update()
            .set(self)
            .execute(conn)
            .await
            .map(drop)
    }
}
