//! Where operators are signed in.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::Operator;
use crate::schema::{operator_sessions as s, operators as o};
use crate::{Conn, Prepare as _};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = s, check_for_backend(diesel::pg::Pg))]
pub struct OperatorSession {
    pub id: Uuid,
    pub operator_id: Uuid,
    /// How often it was refreshed.
    pub generation: i32,
    pub rotated_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_why: Option<String>,
    pub address: Option<String>,
    pub agent: Option<String>,
}

impl OperatorSession {
    /// A session and whose it is.
    pub async fn find_with_operator(conn: &mut Conn, id: Uuid) -> QueryResult<Option<(Self, Operator)>> {
        s::table
            .inner_join(o::table.on(o::id.eq(s::operator_id)))
            .filter(s::id.eq(id))
            .select((Self::as_select(), Operator::as_select()))
            .first(conn)
            .await
            .optional()
    }

    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        s::table
            .find(id)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// Those of an operator that have not ended, newest first.
    pub async fn alive_of(conn: &mut Conn, operator: Uuid, now: DateTime<Utc>) -> QueryResult<Vec<Self>> {
        s::table
            .filter(s::operator_id.eq(operator).and(s::ended_at.is_null()))
            .filter(s::expires_at.gt(now))
            .order(s::id.desc())
            .limit(1000)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(s::table).values(self).execute(conn).await.map(drop)
    }

    /// The caller holds its row.
    pub async fn rotate(conn: &mut Conn, id: Uuid, generation: i32, now: DateTime<Utc>) -> QueryResult<()> {
        let set = (
            s::generation.eq(generation),
            s::rotated_at.eq(now),
            s::last_used_at.eq(now),
        );
        diesel::update(s::table.find(id)).set(set).execute(conn).await.map(drop)
    }

    /// Notes the use of a session, at most once a minute.
    pub async fn touch(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<()> {
        let stale = s::id.eq(id).and(s::last_used_at.lt(now - chrono::Duration::minutes(1)));
        diesel::update(s::table.filter(stale))
            .set(s::last_used_at.eq(now))
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// Ends one of an operator's; answers whether it was alive.
    pub async fn end(
        conn: &mut Conn,
        (operator, id): (Uuid, Uuid),
        why: &str,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let alive = s::operator_id.eq(operator).and(s::id.eq(id)).and(s::ended_at.is_null());
        let set = (s::ended_at.eq(now), s::ended_why.eq(why));
        Ok(diesel::update(s::table.filter(alive)).set(set).execute(conn).await? == 1)
    }

    /// Ends all of an operator's but one; answers how many there were.
    pub async fn end_all(
        conn: &mut Conn,
        operator: Uuid,
        but: Option<Uuid>,
        why: &str,
        now: DateTime<Utc>,
    ) -> QueryResult<usize> {
        let but = but.unwrap_or_default();
        let alive = s::operator_id
            .eq(operator)
            .and(s::ended_at.is_null())
            .and(s::id.ne(but));
        let set = (s::ended_at.eq(now), s::ended_why.eq(why));
        diesel::update(s::table.filter(alive)).set(set).execute(conn).await
    }

    /// Forgets some that were over before `before`.
    pub async fn prune(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> QueryResult<usize> {
        diesel::sql_query(
            "DELETE FROM operator_sessions WHERE id IN \
             (SELECT id FROM operator_sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        )
        .bind::<Timestamptz, _>(before)
        .bind::<BigInt, _>(limit)
        .execute(conn)
        .await
    }
}
