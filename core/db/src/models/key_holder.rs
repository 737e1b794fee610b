//! Who was shown a secret of which key.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Conn;
use crate::schema::api_key_holders as h;

/// An operator or a key that was shown a secret of a key. Whoever was, stays so.
#[derive(Debug)]
pub struct KeyHolder;

impl KeyHolder {
    /// A secret of this key is shown to `to`: to those, too, who were shown one of `to`, where that is a key.
    pub async fn add(conn: &mut Conn, (key, to): (Uuid, Uuid), at: DateTime<Utc>) -> QueryResult<()> {
        diesel::sql_query(
            "INSERT INTO api_key_holders (api_key_id, holder_id, since) SELECT $1, h.id, $3 \
             FROM (SELECT $2 AS id UNION SELECT holder_id FROM api_key_holders WHERE api_key_id = $2) AS h \
             WHERE h.id <> $1 ON CONFLICT DO NOTHING",
        )
        .bind::<SqlUuid, _>(key)
        .bind::<SqlUuid, _>(to)
        .bind::<Timestamptz, _>(at)
        .execute(conn)
        .await
        .map(drop)
    }

    /// Each of these keys with each that was shown a secret of it.
    pub async fn of(conn: &mut Conn, keys: &[Uuid]) -> QueryResult<Vec<(Uuid, Uuid)>> {
        h::table
            .filter(h::api_key_id.eq_any(keys))
            .select((h::api_key_id, h::holder_id))
            .load(conn)
            .await
    }
}
