//! Idempotency keys: which request made which resource.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::idempotency_keys as k;
use crate::{Conn, Prepare as _};

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = k, check_for_backend(diesel::pg::Pg))]
pub struct IdempotencyKey {
    pub request_sha256: Vec<u8>,
    pub resource_kind: String,
    pub resource_id: String,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = k)]
pub struct NewIdempotencyKey<'a> {
    pub api_key_id: Uuid,
    pub key: &'a str,
    pub request_sha256: &'a [u8],
    pub resource_kind: &'a str,
    pub resource_id: String,
    pub created_at: DateTime<Utc>,
}

impl NewIdempotencyKey<'_> {
    /// Claims the key. `false`: somebody has it; waits until a transaction that is claiming it now has ended.
    pub async fn claim(&self, conn: &mut Conn) -> QueryResult<bool> {
        Ok(diesel::insert_into(k::table)
            .values(self)
            .on_conflict_do_nothing()
            .prepared()
            .execute(conn)
            .await?
            == 1)
    }
}

impl IdempotencyKey {
    pub async fn find(conn: &mut Conn, api_key: Uuid, key: &str) -> QueryResult<Option<Self>> {
        k::table
            .find((api_key, key))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// Forgets keys past their retention, at most `limit`.
    pub async fn prune(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> QueryResult<usize> {
        diesel::sql_query(
            "DELETE FROM idempotency_keys WHERE (api_key_id, key) IN \
             (SELECT api_key_id, key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2)",
        )
        .bind::<diesel::sql_types::Timestamptz, _>(before)
        .bind::<diesel::sql_types::BigInt, _>(limit)
        .prepared()
        .execute(conn)
        .await
    }
}
