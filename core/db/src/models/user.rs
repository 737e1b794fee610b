//! Customers and the addresses they keep.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::schema::{user_wallets as w, users as u};
use crate::{Conn, Prepare as _};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = u, check_for_backend(diesel::pg::Pg))]
pub struct User {
    pub id: i64,
    pub blocked_at: Option<DateTime<Utc>>,
    pub blocked_reason: Option<String>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = w, check_for_backend(diesel::pg::Pg))]
pub struct UserWallet {
    pub user_id: i64,
    pub address: String,
    pub label: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl User {
    pub async fn find(conn: &mut Conn, id: i64) -> QueryResult<Option<Self>> {
        u::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    /// The user, made on first sight.
    pub async fn ensure(conn: &mut Conn, id: i64, now: DateTime<Utc>) -> QueryResult<Self> {
        if let Some(user) = Self::find(conn, id).await? {
            return Ok(user);
        }
        let new = Self {
            id,
            blocked_at: None,
            blocked_reason: None,
            created_at: now,
        };
        diesel::insert_into(u::table)
            .values(&new)
            .on_conflict_do_nothing()
            .prepared()
            .execute(conn)
            .await?;
        Self::find(conn, id).await?.ok_or(diesel::result::Error::NotFound)
    }

    /// By id, after the user `after`; of those that are blocked or not, where that is asked.
    pub async fn page(
        conn: &mut Conn,
        blocked: Option<bool>,
        after: Option<i64>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = u::table
            .order(u::id)
            .limit(limit)
            .select(Self::as_select())
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(u::id.gt(after));
        }
        query = match blocked {
            Some(true) => query.filter(u::blocked_at.is_not_null()),
            Some(false) => query.filter(u::blocked_at.is_null()),
            None => query,
        };
        query.load(conn).await
    }

    /// Blocks with a reason, or unblocks with none; answers whether the user exists.
    pub async fn set_blocked(conn: &mut Conn, id: i64, reason: Option<&str>, now: DateTime<Utc>) -> QueryResult<bool> {
        let set = (u::blocked_at.eq(reason.map(|_| now)), u::blocked_reason.eq(reason));
        Ok(diesel::update(u::table.find(id))
            .set(set)
            .prepared()
            .execute(conn)
            .await?
            == 1)
    }
}

impl UserWallet {
    pub async fn of_user(conn: &mut Conn, user: i64) -> QueryResult<Vec<Self>> {
        w::table
            .filter(w::user_id.eq(user))
            .order(w::created_at)
            .limit(1000)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Keeps the address; where it is kept already, only its label changes. Answers whether it is new.
    pub async fn upsert(&self, conn: &mut Conn) -> QueryResult<bool> {
        let new = diesel::insert_into(w::table)
            .values(self)
            .on_conflict_do_nothing()
            .prepared()
            .execute(conn)
            .await?
            == 1;
        if !new {
            let row = w::table.find((self.user_id, &self.address));
            diesel::update(row)
                .set(w::label.eq(&self.label))
                .prepared()
                .execute(conn)
                .await?;
        }
        Ok(new)
    }

    pub async fn delete(conn: &mut Conn, user: i64, address: &str) -> QueryResult<bool> {
        Ok(diesel::delete(w::table.find((user, address))).execute(conn).await? == 1)
    }
}
