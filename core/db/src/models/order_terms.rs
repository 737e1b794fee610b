//! What accepting an order asks of several tables, in one question: a customer waits for it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::Switch;
use crate::{Conn, Prepare as _};

/// On which terms a user may order, as they are now.
#[derive(Debug, Clone, QueryableByName)]
pub struct OrderTerms {
    /// New orders are stopped.
    #[diesel(sql_type = Bool)]
    pub maintenance: bool,
    /// The user was seen before.
    #[diesel(sql_type = Bool)]
    pub user_known: bool,
    #[diesel(sql_type = Bool)]
    pub user_blocked: bool,
    /// The receiver is a wallet of ours.
    #[diesel(sql_type = Bool)]
    pub receiver_is_ours: bool,
    /// Of the band that covers energy and duration in the current price table, if one does.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub price_version_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub price_millisun_per_energy: Option<i64>,
    /// What the key that asks may have users spend in a day.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub daily_limit_sun: Option<i64>,
}

impl OrderTerms {
    /// Of nobody's request in particular.
    pub async fn read(conn: &mut Conn, parties: (i64, &str), wanted: (i64, i32)) -> QueryResult<Self> {
        Self::read_for(conn, None, parties, wanted).await
    }

    /// Of a request of this key.
    pub async fn read_for(
        conn: &mut Conn,
        key: Option<Uuid>,
        (user, receiver): (i64, &str),
        (energy, duration_s): (i64, i32),
    ) -> QueryResult<Self> {
        diesel::sql_query(
            "SELECT COALESCE((SELECT enabled FROM switches WHERE name = $1), false) AS maintenance, \
                u.id IS NOT NULL AS user_known, u.blocked_at IS NOT NULL AS user_blocked, \
                EXISTS (SELECT 1 FROM supplier_wallets WHERE address = $3) AS receiver_is_ours, \
                b.version_id AS price_version_id, b.price_millisun_per_energy, \
                (SELECT daily_limit_sun FROM api_keys WHERE id = $6) AS daily_limit_sun \
             FROM (SELECT id FROM price_versions ORDER BY published_at DESC, id DESC LIMIT 1) AS v \
             RIGHT JOIN (VALUES (1)) AS always ON true \
             LEFT JOIN users u ON u.id = $2 \
             LEFT JOIN price_bands b ON b.version_id = v.id AND $4 BETWEEN b.energy_min AND b.energy_max \
                AND $5 BETWEEN b.duration_min_s AND b.duration_max_s",
        )
        .bind::<Text, _>(Switch::MAINTENANCE)
        .bind::<BigInt, _>(user)
        .bind::<Text, _>(receiver)
        .bind::<BigInt, _>(energy)
        .bind::<Integer, _>(duration_s)
        .bind::<Nullable<SqlUuid>, _>(key)
        .prepared()
        .get_result(conn)
        .await
    }
}
