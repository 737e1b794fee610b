//! Lines of the audit trail: written once into the inbox, sealed into a chain, never changed.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::list::{Span, narrow, page_by};
use crate::schema::{audit_inbox as i, audit_trail as t};
use crate::{Conn, Prepare as _};

#[derive(Debug, Clone, PartialEq, Insertable)]
#[diesel(table_name = i)]
pub struct NewAuditLine {
    pub at: DateTime<Utc>,
    pub principal: String,
    pub principal_name: String,
    pub address: Option<String>,
    pub request_id: Option<String>,
    pub action: String,
    pub target: Option<String>,
    pub step: Option<String>,
    pub result: String,
    pub asked: Option<Value>,
    pub changes: Value,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = t, check_for_backend(diesel::pg::Pg))]
pub struct AuditLine {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub principal: String,
    pub principal_name: String,
    pub address: Option<String>,
    pub request_id: Option<String>,
    pub action: String,
    pub target: Option<String>,
    pub step: Option<String>,
    pub result: String,
    pub asked: Option<Value>,
    pub changes: Value,
    pub hash: Vec<u8>,
}

/// A sealed line as it was hashed: JSON is text here, and the time microseconds.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct SealedLine {
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = BigInt)]
    pub at_micros: i64,
    #[diesel(sql_type = Text)]
    pub principal: String,
    #[diesel(sql_type = Text)]
    pub principal_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub address: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub request_id: Option<String>,
    #[diesel(sql_type = Text)]
    pub action: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub target: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub step: Option<String>,
    #[diesel(sql_type = Text)]
    pub result: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub asked: Option<String>,
    #[diesel(sql_type = Text)]
    pub changes: String,
    #[diesel(sql_type = Binary)]
    pub hash: Vec<u8>,
}

/// What came of sealing.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct SealedNow {
    /// Lines that were given their places.
    #[diesel(sql_type = Integer)]
    pub sealed: i32,
    /// The end of the chain; 0 while it is empty.
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    #[diesel(sql_type = Binary)]
    pub hash: Vec<u8>,
}

/// What still waits to be sealed.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Unsealed {
    #[diesel(sql_type = BigInt)]
    pub lines: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest: Option<DateTime<Utc>>,
}

/// What a list of lines is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub principal: Option<String>,
    pub action: Option<String>,
    pub request_id: Option<String>,
    /// When it was asked for; without the end.
    pub at: Span<DateTime<Utc>>,
    pub oldest_first: bool,
}

impl NewAuditLine {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(i::table)
            .values(self)
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }
}

impl AuditLine {
    /// A page of the lines behind `place` in the filter's direction.
    pub async fn page(conn: &mut Conn, filter: &AuditFilter, place: Option<i64>, limit: i64) -> QueryResult<Vec<Self>> {
        let mut query = t::table.select(Self::as_select()).limit(limit).into_boxed();
        narrow!(query,
            filter.principal.as_deref() => t::principal, eq;
            filter.action.as_deref() => t::action, eq;
            filter.request_id.as_deref() => t::request_id, eq;
            filter.at.from => t::at, ge;
            filter.at.to => t::at, lt;
        );
        page_by!(query, t::seq, place, filter.oldest_first);
        query.load(conn).await
    }
}

impl SealedLine {
    /// Lines after `after`, in the order of the chain.
    pub async fn page(conn: &mut Conn, after: i64, limit: i64) -> QueryResult<Vec<Self>> {
        diesel::sql_query(
            "SELECT seq, id, (extract(epoch FROM at) * 1000000)::bigint AS at_micros, principal, principal_name, address, \
             request_id, action, target, step, result, asked::text AS asked, changes::text AS changes, hash \
             FROM audit_trail WHERE seq > $1 ORDER BY seq LIMIT $2",
        )
        .bind::<BigInt, _>(after)
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await
    }
}

impl SealedNow {
    /// Gives at most so many waiting lines their places, oldest first.
    pub async fn seal(conn: &mut Conn, at_most: i32) -> QueryResult<Self> {
        diesel::sql_query("SELECT sealed, seq, hash FROM audit_seal($1)")
            .bind::<Integer, _>(at_most)
            .get_result(conn)
            .await
    }
}

impl Unsealed {
    /// What waits at this moment.
    pub async fn read(conn: &mut Conn) -> QueryResult<Self> {
        diesel::sql_query("SELECT count(*) AS lines, min(at) AS oldest FROM audit_inbox")
            .get_result(conn)
            .await
    }
}
