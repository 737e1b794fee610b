//! A wallet's reservation is the sum of what the last read of the wallet cannot surely show as gone: its delegations, stake for
//! energy that is being unstaked, and what is set aside for quotes.

use chrono::{DateTime, Utc};
use db::Conn;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kernel::IdGen;
use serde_json::json;
use uuid::Uuid;

use super::record_all_in_tx;
use crate::DomainError;
use crate::findings::FindingKind;

/// A wallet whose reservation is not what its delegations, stakings and holds say, in sun.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct Reservation {
    /// The wallet.
    #[diesel(sql_type = SqlUuid)]
    pub wallet: Uuid,
    /// What its row says.
    #[diesel(sql_type = BigInt)]
    pub kept: i64,
    /// What its delegations, stakings and holds say.
    #[diesel(sql_type = BigInt)]
    pub counted: i64,
}

/// Wallets whose reservation differs, at most 100.
///
/// # Errors
/// When the database cannot be asked.
pub async fn differing_reservations(conn: &mut Conn) -> Result<Vec<Reservation>, DomainError> {
    Ok(diesel::sql_query(
        "SELECT w.id AS wallet, w.reserved_sun AS kept, c.counted FROM supplier_wallets w \
         CROSS JOIN LATERAL (SELECT (coalesce((SELECT sum(d.amount_sun) FROM delegations d \
             WHERE d.wallet_id = w.id AND (d.state = 'reserved' \
                 OR (d.state IN ('active', 'reclaiming') AND d.block_number > w.synced_block))), 0) \
             + coalesce((SELECT sum(s.amount_sun) FROM stakings s WHERE s.wallet_id = w.id AND s.action = 'unstake' \
                 AND s.resource = 'energy' AND (s.state = 'processing' OR s.block_number > w.synced_block)), 0) \
             + coalesce((SELECT sum(h.amount_sun) FROM stock_holds h WHERE h.wallet_id = w.id), 0))::bigint \
             AS counted) c \
         WHERE w.reserved_sun <> c.counted ORDER BY w.id LIMIT 100",
    )
    .load(conn)
    .await?)
}

pub(super) async fn prove_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let differing = differing_reservations(conn).await?;
    let found = differing.iter().map(|row| {
        let detail = json!({ "kept_sun": row.kept, "counted_sun": row.counted });
        (format!("wallet:{}", row.wallet), detail)
    });
    record_all_in_tx(conn, ids, FindingKind::ReservationDiffers, found.collect(), now).await
}
