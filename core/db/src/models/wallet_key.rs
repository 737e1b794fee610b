//! Keys of supplier wallets: on their way in, and at rest.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Conn;
use crate::schema::{master_keys as m, wallet_imports as i, wallet_keys as k};

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = i, check_for_backend(diesel::pg::Pg))]
pub struct WalletImport {
    pub wallet_id: Uuid,
    pub sealed: Vec<u8>,
    pub created_at: DateTime<Utc>,
}

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = k, check_for_backend(diesel::pg::Pg))]
pub struct WalletKey {
    pub wallet_id: Uuid,
    pub master_key_id: i32,
    pub wrapped_data_key: Vec<u8>,
    pub ciphertext: Vec<u8>,
    pub created_at: DateTime<Utc>,
}

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = m, check_for_backend(diesel::pg::Pg))]
pub struct MasterKeyRow {
    pub id: i32,
    pub derivation: serde_json::Value,
    pub check_value: Vec<u8>,
    pub created_at: DateTime<Utc>,
    pub retired_at: Option<DateTime<Utc>>,
}

impl WalletImport {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(i::table).values(self).execute(conn).await.map(drop)
    }

    pub async fn find(conn: &mut Conn, wallet: Uuid) -> QueryResult<Option<Self>> {
        i::table
            .find(wallet)
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    pub async fn delete(conn: &mut Conn, wallet: Uuid) -> QueryResult<bool> {
        Ok(diesel::delete(i::table.find(wallet)).execute(conn).await? == 1)
    }
}

impl WalletKey {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(k::table).values(self).execute(conn).await.map(drop)
    }

    pub async fn find(conn: &mut Conn, wallet: Uuid) -> QueryResult<Option<Self>> {
        k::table
            .find(wallet)
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// Keys that another master key than `current` still wraps, after `after`, in wallet order.
    pub async fn wrapped_by_others(
        conn: &mut Conn,
        current: i32,
        after: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = k::table
            .filter(k::master_key_id.ne(current))
            .order(k::wallet_id)
            .limit(limit)
            .select(Self::as_select())
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(k::wallet_id.gt(after));
        }
        query.load(conn).await
    }

    /// Another key takes this one's place. The caller holds the wallet's lock.
    pub async fn replace(&self, conn: &mut Conn) -> QueryResult<bool> {
        let set = (
            k::master_key_id.eq(self.master_key_id),
            k::wrapped_data_key.eq(&self.wrapped_data_key),
            k::ciphertext.eq(&self.ciphertext),
            k::created_at.eq(self.created_at),
            k::rewrapped_at.eq(None::<DateTime<Utc>>),
        );
        Ok(diesel::update(k::table.find(self.wallet_id))
            .set(set)
            .execute(conn)
            .await?
            == 1)
    }

    /// Guarded: puts a re-wrapped data key in place of this one's, as long as the key is still this one and is wrapped as it
    /// was: a data key beside another key's ciphertext would lose that key.
    pub async fn rewrap(&self, conn: &mut Conn, to: i32, wrapped: &[u8], now: DateTime<Utc>) -> QueryResult<bool> {
        let row = k::table.filter(
            k::wallet_id
                .eq(self.wallet_id)
                .and(k::master_key_id.eq(self.master_key_id))
                .and(k::ciphertext.eq(&self.ciphertext)),
        );
        let set = (
            k::master_key_id.eq(to),
            k::wrapped_data_key.eq(wrapped),
            k::rewrapped_at.eq(now),
        );
        Ok(diesel::update(row).set(set).execute(conn).await? == 1)
    }
}

impl MasterKeyRow {
    pub async fn insert_if_missing(&self, conn: &mut Conn) -> QueryResult<bool> {
        Ok(diesel::insert_into(m::table)
            .values(self)
            .on_conflict_do_nothing()
            .execute(conn)
            .await?
            == 1)
    }

    pub async fn find(conn: &mut Conn, id: i32) -> QueryResult<Option<Self>> {
        m::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    pub async fn list(conn: &mut Conn) -> QueryResult<Vec<Self>> {
        m::table.order(m::id).select(Self::as_select()).load(conn).await
    }

    pub async fn retire(conn: &mut Conn, id: i32, now: DateTime<Utc>) -> QueryResult<bool> {
        let row = m::table.filter(m::id.eq(id).and(m::retired_at.is_null()));
        Ok(diesel::update(row).set(m::retired_at.eq(now)).execute(conn).await? == 1)
    }
}
