//! What keys with a daily limit had users spend.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::{api_key_spending as s, api_keys as k};
use crate::{Conn, Prepare as _};

/// What a key had users spend on a day.
#[derive(Debug)]
pub struct KeySpending;

impl KeySpending {
    /// Adds to a key's day at that time, if that stays within the limit; else nothing is changed.
    pub async fn add(
        conn: &mut Conn,
        (key, at): (Uuid, DateTime<Utc>),
        (sun, limit_sun): (i64, i64),
    ) -> QueryResult<bool> {
        let added = diesel::sql_query(
            "INSERT INTO api_key_spending AS s (api_key_id, day, spent_sun) SELECT $1, $2, $3 WHERE $3 <= $4 \
             ON CONFLICT (api_key_id, day) DO UPDATE SET spent_sun = s.spent_sun + EXCLUDED.spent_sun \
             WHERE s.spent_sun + EXCLUDED.spent_sun <= $4",
        )
        .bind::<SqlUuid, _>(key)
        .bind::<Integer, _>(day(at))
        .bind::<BigInt, _>(sun)
        .bind::<BigInt, _>(limit_sun)
        .prepared()
        .execute(conn)
        .await?;
        Ok(added == 1)
    }

    /// What these keys spent on the day of that time; of one that spent nothing there is no row.
    pub async fn of_day(conn: &mut Conn, keys: &[Uuid], at: DateTime<Utc>) -> QueryResult<Vec<(Uuid, i64)>> {
        s::table
            .filter(s::api_key_id.eq_any(keys).and(s::day.eq(day(at))))
            .select((s::api_key_id, s::spent_sun))
            .load(conn)
            .await
    }

    /// A key's limit, if it has one.
    pub async fn limit(conn: &mut Conn, key: Uuid) -> QueryResult<Option<i64>> {
        let limit = k::table.find(key).select(k::daily_limit_sun);
        Ok(limit.first(conn).await.optional()?.flatten())
    }

    /// Removes days before that of `before`.
    pub async fn prune(conn: &mut Conn, before: DateTime<Utc>) -> QueryResult<usize> {
        diesel::delete(s::table.filter(s::day.lt(day(before))))
            .execute(conn)
            .await
    }
}

/// Days since 1970-01-01, which end at 00:00 UTC.
fn day(at: DateTime<Utc>) -> i32 {
    i32::try_from(at.timestamp().div_euclid(86_400)).unwrap_or(i32::MAX)
}
