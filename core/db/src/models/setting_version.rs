//! Versions of the settings that operators change while everything runs.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::Conn;
use crate::schema::setting_versions as s;

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = s, check_for_backend(diesel::pg::Pg))]
pub struct SettingVersion {
    pub version: i64,
    pub id: Uuid,
    /// An object: values by the settings' names.
    pub overrides: Value,
    /// An object: for each of them, the version that gave it this value.
    pub since: Value,
    pub author: String,
    pub author_name: String,
    pub reason: String,
    /// The version that this one went back to.
    pub restored: Option<i64>,
    pub created_at: DateTime<Utc>,
}

impl SettingVersion {
    /// The number of the version in force; `None`: the configuration alone.
    pub async fn newest_number(conn: &mut Conn) -> QueryResult<Option<i64>> {
        s::table
            .order(s::version.desc())
            .select(s::version)
            .first(conn)
            .await
            .optional()
    }

    /// The version in force.
    pub async fn newest(conn: &mut Conn) -> QueryResult<Option<Self>> {
        s::table
            .order(s::version.desc())
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    pub async fn find(conn: &mut Conn, version: i64) -> QueryResult<Option<Self>> {
        s::table
            .find(version)
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    pub async fn find_by_id(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        s::table
            .filter(s::id.eq(id))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// Those with these numbers.
    pub async fn numbered(conn: &mut Conn, versions: &[i64]) -> QueryResult<Vec<Self>> {
        s::table
            .filter(s::version.eq_any(versions))
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// A page, newest first, of the versions before `before`.
    pub async fn page(conn: &mut Conn, before: Option<i64>, limit: i64) -> QueryResult<Vec<Self>> {
        let mut query = s::table
            .select(Self::as_select())
            .order(s::version.desc())
            .limit(limit)
            .into_boxed();
        if let Some(before) = before {
            query = query.filter(s::version.lt(before));
        }
        query.load(conn).await
    }

    /// Puts it in force. `false`: somebody else's has this number; waits until a transaction that is writing one has ended.
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<bool> {
        Ok(diesel::insert_into(s::table)
            .values(self)
            .on_conflict_do_nothing()
            .execute(conn)
            .await?
            == 1)
    }
}
