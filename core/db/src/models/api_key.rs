//! Keys that bots and shops authenticate with. Only the hash of a key is kept.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::{api_key_former_secrets as former, api_keys, operators};
use crate::{Conn, Prepare as _};

#[derive(Debug, Clone, Queryable, Selectable, Identifiable)]
#[diesel(table_name = api_keys, check_for_backend(diesel::pg::Pg))]
pub struct ApiKey {
    pub id: Uuid,
    pub name: String,
    pub prefix: String,
    pub secret_sha256: Vec<u8>,
    pub scopes: Vec<String>,
    pub rate_limit_per_minute: i32,
    pub created_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// `None`: until it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
    /// Addresses and ranges; none: from anywhere.
    pub allowed_from: Vec<String>,
    /// The most that it may have users spend in a day.
    pub daily_limit_sun: Option<i64>,
    /// What its requests are signed with, sealed; `None`: they are not.
    pub signing_sealed: Option<Vec<u8>>,
    pub signing_former: Option<Vec<u8>>,
    pub signing_former_until: Option<DateTime<Utc>>,
}

/// A secret that was replaced.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = former, check_for_backend(diesel::pg::Pg))]
pub struct FormerSecret {
    pub prefix: String,
    pub api_key_id: Uuid,
    pub secret_sha256: Vec<u8>,
    pub works_until: DateTime<Utc>,
    pub replaced_at: DateTime<Utc>,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = api_keys)]
pub struct NewApiKey<'a> {
    pub id: Uuid,
    pub name: &'a str,
    pub prefix: &'a str,
    pub secret_sha256: &'a [u8],
    pub scopes: Vec<String>,
    pub rate_limit_per_minute: i32,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub allowed_from: Vec<String>,
    pub daily_limit_sun: Option<i64>,
}

impl FormerSecret {
    /// The one with this visible part, over or not.
    pub async fn find_by_prefix(conn: &mut Conn, prefix: &str) -> QueryResult<Option<Self>> {
        former::table
            .find(prefix)
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(former::table)
            .values(self)
            .execute(conn)
            .await
            .map(drop)
    }

    /// Removes those of a key.
    pub async fn remove_of(conn: &mut Conn, api_key: Uuid) -> QueryResult<()> {
        diesel::delete(former::table.filter(former::api_key_id.eq(api_key)))
            .execute(conn)
            .await
            .map(drop)
    }
}

impl ApiKey {
    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        api_keys::table
            .find(id)
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// Whether the key is revoked, or the operator who acts under it disabled.
    pub async fn is_gone(conn: &mut Conn, id: Uuid) -> QueryResult<bool> {
        let revoked = api_keys::table.filter(api_keys::id.eq(id).and(api_keys::revoked_at.is_not_null()));
        let disabled = operators::table.filter(operators::id.eq(id).and(operators::disabled_at.is_not_null()));
        diesel::select(exists(revoked).or(exists(disabled)))
            .get_result(conn)
            .await
    }

    /// A key that is not revoked.
    pub async fn lock_alive(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        api_keys::table
            .filter(api_keys::id.eq(id).and(api_keys::revoked_at.is_null()))
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// The caller holds its row.
    pub async fn set_secret(conn: &mut Conn, id: Uuid, prefix: &str, secret_sha256: &[u8]) -> QueryResult<()> {
        let set = (api_keys::prefix.eq(prefix), api_keys::secret_sha256.eq(secret_sha256));
        diesel::update(api_keys::table.find(id))
            .set(set)
            .execute(conn)
            .await
            .map(drop)
    }

    /// The caller holds its row.
    pub async fn set_terms(
        conn: &mut Conn,
        id: Uuid,
        (expires_at, allowed_from): (Option<DateTime<Utc>>, &[String]),
        (rate_limit_per_minute, daily_limit_sun): (i32, Option<i64>),
    ) -> QueryResult<()> {
        let set = (
            api_keys::expires_at.eq(expires_at),
            api_keys::allowed_from.eq(allowed_from),
            api_keys::rate_limit_per_minute.eq(rate_limit_per_minute),
            api_keys::daily_limit_sun.eq(daily_limit_sun),
        );
        diesel::update(api_keys::table.find(id))
            .set(set)
            .execute(conn)
            .await
            .map(drop)
    }

    /// The caller holds its row. The secret before signs until the time that is given.
    pub async fn set_signing(
        conn: &mut Conn,
        id: Uuid,
        sealed: Option<&[u8]>,
        former: Option<(&[u8], DateTime<Utc>)>,
    ) -> QueryResult<()> {
        let set = (
            api_keys::signing_sealed.eq(sealed),
            api_keys::signing_former.eq(former.map(|(sealed, _)| sealed)),
            api_keys::signing_former_until.eq(former.map(|(_, until)| until)),
        );
        diesel::update(api_keys::table.find(id))
            .set(set)
            .execute(conn)
            .await
            .map(drop)
    }

    /// The key with this visible part, revoked or not.
    pub async fn find_by_prefix(conn: &mut Conn, prefix: &str) -> QueryResult<Option<Self>> {
        api_keys::table
            .filter(api_keys::prefix.eq(prefix))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// Every key, newest first; there are few. Rows that operators write under are none.
    pub async fn list(conn: &mut Conn) -> QueryResult<Vec<Self>> {
        api_keys::table
            .filter(api_keys::prefix.like("sk\\_%"))
            .order(api_keys::id.desc())
            .limit(1000)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// The same in pages: those before the key `before`.
    pub async fn page(conn: &mut Conn, before: Option<Uuid>, limit: i64) -> QueryResult<Vec<Self>> {
        let mut query = api_keys::table
            .filter(api_keys::prefix.like("sk\\_%"))
            .order(api_keys::id.desc())
            .limit(limit)
            .select(Self::as_select())
            .into_boxed();
        if let Some(before) = before {
            query = query.filter(api_keys::id.lt(before));
        }
        query.load(conn).await
    }

    /// Ends a key; answers whether it was alive.
    pub async fn revoke(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
        let alive = api_keys::table.filter(api_keys::id.eq(id).and(api_keys::revoked_at.is_null()));
        Ok(diesel::update(alive)
            .set(api_keys::revoked_at.eq(now))
            .prepared()
            .execute(conn)
            .await?
            == 1)
    }

    /// Notes the use of a key, at most once a minute per key.
    pub async fn touch(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<()> {
        let stale = api_keys::last_used_at.is_null().or(api_keys::last_used_at
            .lt(now - chrono::Duration::minutes(1))
            .assume_not_null());
        let key = api_keys::table.filter(api_keys::id.eq(id)).filter(stale);
        diesel::update(key)
            .set(api_keys::last_used_at.eq(now))
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }
}

impl NewApiKey<'_> {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(api_keys::table)
            .values(self)
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }
}
