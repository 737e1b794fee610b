//! Roles that operators made.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::Conn;
use crate::schema::roles as r;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = r, check_for_backend(diesel::pg::Pg))]
pub struct Role {
    pub name: String,
    pub title: String,
    /// Words of points.
    pub permissions: Vec<String>,
    pub updated_at: DateTime<Utc>,
    pub updated_by: String,
}

impl Role {
    pub async fn find(conn: &mut Conn, name: &str) -> QueryResult<Option<Self>> {
        r::table
            .find(name)
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// Those of these names that there are, with their rows held until the end of the transaction.
    pub async fn lock_named(conn: &mut Conn, names: &[String]) -> QueryResult<Vec<Self>> {
        r::table
            .filter(r::name.eq_any(names))
            .order(r::name)
            .select(Self::as_select())
            .for_share()
            .load(conn)
            .await
    }

    /// Those of these names that there are.
    pub async fn named(conn: &mut Conn, names: &[String]) -> QueryResult<Vec<Self>> {
        r::table
            .filter(r::name.eq_any(names))
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// All of them; operators make few.
    pub async fn list(conn: &mut Conn) -> QueryResult<Vec<Self>> {
        r::table
            .order(r::name)
            .limit(1000)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Makes it or changes it; answers whether it is new.
    pub async fn upsert(&self, conn: &mut Conn) -> QueryResult<bool> {
        let new = diesel::insert_into(r::table)
            .values(self)
            .on_conflict_do_nothing()
            .execute(conn)
            .await?
            == 1;
        if !new {
            diesel::update(r::table.find(&self.name))
                .set(self)
                .execute(conn)
                .await?;
        }
        Ok(new)
    }

    pub async fn delete(conn: &mut Conn, name: &str) -> QueryResult<bool> {
        Ok(diesel::delete(r::table.find(name)).execute(conn).await? == 1)
    }
}
