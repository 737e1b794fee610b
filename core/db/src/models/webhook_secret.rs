//! What messages are signed with, sealed to the workers. The API puts secrets in and has no right to read one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Conn;
use crate::schema::webhook_secrets as s;

#[derive(Debug, Insertable)]
#[diesel(table_name = s)]
pub struct NewWebhookSecret<'a> {
    pub id: Uuid,
    pub endpoint_id: Uuid,
    pub sealed: &'a [u8],
    pub created_at: DateTime<Utc>,
}

/// A secret with its sealed bytes: for workers.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = s, check_for_backend(diesel::pg::Pg))]
pub struct WebhookSecretRow {
    pub id: Uuid,
    pub sealed: Vec<u8>,
}

impl NewWebhookSecret<'_> {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(s::table).values(self).execute(conn).await.map(drop)
    }
}

impl WebhookSecretRow {
    /// Those that sign now, the current one first.
    pub async fn signing(conn: &mut Conn, endpoint: Uuid, now: DateTime<Utc>) -> QueryResult<Vec<Self>> {
        s::table
            .filter(s::endpoint_id.eq(endpoint))
            .filter(s::expires_at.is_null().or(s::expires_at.assume_not_null().gt(now)))
            .order(s::id.desc())
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// How many sign now.
    pub async fn count_signing(conn: &mut Conn, endpoint: Uuid, now: DateTime<Utc>) -> QueryResult<i64> {
        s::table
            .filter(s::endpoint_id.eq(endpoint))
            .filter(s::expires_at.is_null().or(s::expires_at.assume_not_null().gt(now)))
            .select(diesel::dsl::count(s::id))
            .get_result(conn)
            .await
    }

    /// The current one signs until `at` beside its successor.
    pub async fn expire_current(conn: &mut Conn, endpoint: Uuid, at: DateTime<Utc>) -> QueryResult<()> {
        diesel::update(s::table.filter(s::endpoint_id.eq(endpoint).and(s::expires_at.is_null())))
            .set(s::expires_at.eq(at))
            .execute(conn)
            .await
            .map(drop)
    }

    pub async fn delete_of(conn: &mut Conn, endpoint: Uuid) -> QueryResult<()> {
        diesel::delete(s::table.filter(s::endpoint_id.eq(endpoint)))
            .execute(conn)
            .await
            .map(drop)
    }

    /// Forgets those that sign no longer.
    pub async fn prune(conn: &mut Conn, now: DateTime<Utc>) -> QueryResult<usize> {
        diesel::delete(s::table.filter(s::expires_at.assume_not_null().lt(now)))
            .execute(conn)
            .await
    }
}
