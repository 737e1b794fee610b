//! Keys of accounts that addresses of customers are derived from, at rest.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::Conn;
use crate::schema::deposit_account_keys as k;

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = k, check_for_backend(diesel::pg::Pg))]
pub struct DepositAccountKey {
    pub fingerprint: String,
    pub master_key_id: i32,
    pub wrapped_data_key: Vec<u8>,
    pub ciphertext: Vec<u8>,
    pub created_at: DateTime<Utc>,
}

impl DepositAccountKey {
    /// Keeps the key; `false` where the account's is there already.
    pub async fn insert_if_missing(&self, conn: &mut Conn) -> QueryResult<bool> {
        let rows = diesel::insert_into(k::table)
            .values(self)
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
        Ok(rows == 1)
    }

    pub async fn find(conn: &mut Conn, fingerprint: &str) -> QueryResult<Option<Self>> {
        k::table
            .find(fingerprint)
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    pub async fn list(conn: &mut Conn) -> QueryResult<Vec<Self>> {
        k::table
            .order(k::fingerprint)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Guarded: puts a re-wrapped data key in place of the one that `from` wrapped.
    pub async fn rewrap(
        conn: &mut Conn,
        fingerprint: &str,
        (from, to): (i32, i32),
        wrapped: &[u8],
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let row = k::table.filter(k::fingerprint.eq(fingerprint).and(k::master_key_id.eq(from)));
        let set = (
            k::master_key_id.eq(to),
            k::wrapped_data_key.eq(wrapped),
            k::rewrapped_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }
}
