//! How far the comparison of what wallets lend has come.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Conn;

/// A wallet whose next round is due, or not over.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct DueComparison {
    #[diesel(sql_type = SqlUuid)]
    pub wallet_id: Uuid,
    #[diesel(sql_type = Text)]
    pub address: String,
    /// Receivers up to this one are compared in this round.
    #[diesel(sql_type = Nullable<Text>)]
    pub after_receiver: Option<String>,
}

#[derive(QueryableByName)]
struct Oldest {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    oldest: Option<DateTime<Utc>>,
}

impl DueComparison {
    /// Wallets whose last round ended before `before`, the longest ago first.
    pub async fn list(conn: &mut Conn, network: &str, before: DateTime<Utc>, limit: i64) -> QueryResult<Vec<Self>> {
        diesel::sql_query(
            "SELECT w.id AS wallet_id, w.address, c.after_receiver FROM supplier_wallets w \
             LEFT JOIN wallet_comparisons c ON c.wallet_id = w.id AND c.network = $1 \
             WHERE w.purpose = 'supply' AND w.state = 'active' AND (c.finished_at IS NULL OR c.finished_at < $2) \
             ORDER BY c.finished_at NULLS FIRST, w.id LIMIT $3",
        )
        .bind::<Text, _>(network)
        .bind::<Timestamptz, _>(before)
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await
    }

    /// When the round ended that is the longest ago; a wallet without one counts from when it was
    /// added. `None` without wallets.
    pub async fn oldest(conn: &mut Conn, network: &str) -> QueryResult<Option<DateTime<Utc>>> {
        let row: Oldest = diesel::sql_query(
            "SELECT min(COALESCE(c.finished_at, w.created_at)) AS oldest FROM supplier_wallets w \
             LEFT JOIN wallet_comparisons c ON c.wallet_id = w.id AND c.network = $1 \
             WHERE w.purpose = 'supply' AND w.state = 'active'",
        )
        .bind::<Text, _>(network)
        .get_result(conn)
        .await?;
        Ok(row.oldest)
    }

    /// Notes that a wallet's round goes on after this receiver, or ended at `finished_at`.
    pub async fn note(
        conn: &mut Conn,
        (network, wallet): (&str, Uuid),
        after_receiver: Option<&str>,
        finished_at: Option<DateTime<Utc>>,
    ) -> QueryResult<()> {
        diesel::sql_query(
            "INSERT INTO wallet_comparisons AS c (network, wallet_id, after_receiver, finished_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (network, wallet_id) DO UPDATE \
             SET after_receiver = EXCLUDED.after_receiver, finished_at = COALESCE(EXCLUDED.finished_at, c.finished_at)",
        )
        .bind::<Text, _>(network)
        .bind::<SqlUuid, _>(wallet)
        .bind::<Nullable<Text>, _>(after_receiver)
        .bind::<Nullable<Timestamptz>, _>(finished_at)
        .execute(conn)
        .await
        .map(drop)
    }
}
