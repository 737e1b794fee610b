//! The addresses that a user may be paid to.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::Conn;
use crate::schema::payout_addresses as a;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = a, check_for_backend(diesel::pg::Pg))]
pub struct PayoutAddress {
    pub user_id: i64,
    pub address: String,
    pub label: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl PayoutAddress {
    pub async fn of_user(conn: &mut Conn, user: i64) -> QueryResult<Vec<Self>> {
        a::table
            .filter(a::user_id.eq(user))
            .order(a::created_at)
            .limit(1000)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Lists the address; where it is listed already, only its label changes. Answers whether it is new.
    pub async fn upsert(&self, conn: &mut Conn) -> QueryResult<bool> {
        let new = diesel::insert_into(a::table)
            .values(self)
            .on_conflict_do_nothing()
            .execute(conn)
            .await?
            == 1;
        if !new {
            let row = a::table.find((self.user_id, &self.address));
            diesel::update(row).set(a::label.eq(&self.label)).execute(conn).await?;
        }
        Ok(new)
    }

    pub async fn delete(conn: &mut Conn, user: i64, address: &str) -> QueryResult<bool> {
        Ok(diesel::delete(a::table.find((user, address))).execute(conn).await? == 1)
    }
}
