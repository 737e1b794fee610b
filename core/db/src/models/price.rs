//! Price tables.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Conn;
use crate::schema::{price_bands as b, price_versions as v};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = v, check_for_backend(diesel::pg::Pg))]
pub struct PriceVersion {
    pub id: Uuid,
    pub note: String,
    pub actor: String,
    pub published_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = b, check_for_backend(diesel::pg::Pg))]
pub struct PriceBand {
    pub version_id: Uuid,
    pub energy_min: i64,
    pub energy_max: i64,
    pub duration_min_s: i32,
    pub duration_max_s: i32,
    pub price_millisun_per_energy: i64,
}

impl PriceVersion {
    /// The version that counts now.
    pub async fn current(conn: &mut Conn) -> QueryResult<Option<Self>> {
        v::table
            .order((v::published_at.desc(), v::id.desc()))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    pub async fn publish(&self, conn: &mut Conn, bands: &[PriceBand]) -> QueryResult<()> {
        diesel::insert_into(v::table).values(self).execute(conn).await?;
        diesel::insert_into(b::table)
            .values(bands)
            .execute(conn)
            .await
            .map(drop)
    }
}

impl PriceBand {
    pub async fn of_version(conn: &mut Conn, version: Uuid) -> QueryResult<Vec<Self>> {
        b::table
            .filter(b::version_id.eq(version))
            .order((b::duration_min_s, b::energy_min))
            .select(Self::as_select())
            .load(conn)
            .await
    }
}
