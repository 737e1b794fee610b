//! Every credited transfer has one credit in the ledger and every credit its transfer; nothing final waits for long.

use chrono::{DateTime, Duration, Utc};
use db::Conn;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::IdGen;
use serde_json::json;

use super::record_all_in_tx;
use crate::DomainError;
use crate::findings::FindingKind;

/// How long a transfer in a solidified block may wait for a decision: one is made as soon as the block is solid.
const WAITS_AT_MOST: Duration = Duration::minutes(15);

/// A transfer and what the ledger says of it, which do not agree.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct LedgerDifference {
    /// The ledger's event.
    #[diesel(sql_type = Text)]
    pub event: String,
    /// What our row says was credited to whom: `user:7:TRX 5`.
    #[diesel(sql_type = Nullable<Text>)]
    pub recorded: Option<String>,
    /// What the ledger moved.
    #[diesel(sql_type = Nullable<Text>)]
    pub posted: Option<String>,
}

/// Compares every credit and every reversal with its transfer's row; answers at most 100 that differ. Both tables are read
/// whole.
///
/// # Errors
/// When the database cannot be asked.
pub async fn ledger_differences(conn: &mut Conn) -> Result<Vec<LedgerDifference>, DomainError> {
    Ok(diesel::sql_query(include_str!("deposits/ledger.sql"))
        .load(conn)
        .await?)
}

/// A transfer in a solidified block that nobody decided about.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct Undecided {
    /// Its row.
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub id: uuid::Uuid,
    /// Where.
    #[diesel(sql_type = Text)]
    pub network: String,
    /// Which transaction.
    #[diesel(sql_type = Text)]
    pub txid: String,
    /// In which block.
    #[diesel(sql_type = BigInt)]
    pub block_number: i64,
}

/// Transfers that are final and undecided since before `since`, at most 100.
///
/// # Errors
/// When the database cannot be asked.
pub async fn undecided(conn: &mut Conn, since: DateTime<Utc>) -> Result<Vec<Undecided>, DomainError> {
    Ok(diesel::sql_query(
        "SELECT t.id, t.network, t.txid, t.block_number FROM incoming_transfers t \
         JOIN chain_cursors c ON c.network = t.network \
         WHERE t.state = 'seen' AND t.block_number <= c.solid_number AND t.updated_at < $1 \
         ORDER BY t.block_number LIMIT 100",
    )
    .bind::<Timestamptz, _>(since)
    .load(conn)
    .await?)
}

pub(super) async fn prove_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let differing = ledger_differences(conn).await?.into_iter().map(|row| {
        let detail = json!({ "recorded": row.recorded, "posted": row.posted });
        (format!("event:{}", row.event), detail)
    });
    let found = record_all_in_tx(conn, ids, FindingKind::DepositLedgerDiffers, differing.collect(), now).await?;
    let waiting = undecided(conn, now - WAITS_AT_MOST).await?.into_iter().map(|row| {
        let detail = json!({ "network": row.network, "txid": row.txid, "block": row.block_number });
        (format!("transfer:{}", row.id), detail)
    });
    Ok(found + record_all_in_tx(conn, ids, FindingKind::DepositNotCredited, waiting.collect(), now).await?)
}

#[derive(diesel::QueryableByName)]
struct Lost {
    #[diesel(sql_type = Text)]
    network: String,
}

/// Where something final waits there is the job that decides about it. One that is gone (dropped by hand, or a bug) is
/// made anew.
pub(super) async fn requeue_in_tx(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Wake>, DomainError> {
    let lost: Vec<Lost> = diesel::sql_query(
        "SELECT c.network FROM chain_cursors c WHERE c.halted_at IS NULL \
         AND EXISTS (SELECT 1 FROM incoming_transfers t \
            WHERE t.network = c.network AND t.state = 'seen' AND t.block_number <= c.solid_number) \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.object_id = c.network)",
    )
    .bind::<Text, _>(JobKind::DepositsCredit.word())
    .load(conn)
    .await?;
    let networks: Vec<String> = lost.into_iter().map(|row| row.network).collect();
    let mut wakes = enqueue_each_in_tx(conn, JobKind::DepositsCredit, &networks, now).await?;
    wakes.extend(requeue_orders_in_tx(conn, now).await?);
    Ok(wakes)
}

#[derive(diesel::QueryableByName)]
struct Unplaced {
    #[diesel(sql_type = Text)]
    id: String,
}

/// The same for orders of paid deposits.
async fn requeue_orders_in_tx(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Wake>, DomainError> {
    let lost: Vec<Unplaced> = diesel::sql_query(
        "SELECT o.deposit_id::text AS id FROM deposit_orders o JOIN deposits d ON d.id = o.deposit_id \
         WHERE o.state = 'waiting' AND d.state = 'paid' \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.object_id = o.deposit_id::text) LIMIT 500",
    )
    .bind::<Text, _>(JobKind::DepositsPlaceOrder.word())
    .load(conn)
    .await?;
    let ids: Vec<String> = lost.into_iter().map(|row| row.id).collect();
    Ok(enqueue_each_in_tx(conn, JobKind::DepositsPlaceOrder, &ids, now).await?)
}
