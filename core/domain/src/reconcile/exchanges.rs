//! Every exchange that was done has its two transfers with the stored figures, and every such transfer its exchange; none waits
//! for long.

use chrono::{DateTime, Duration, Utc};
use db::Conn;
use db::models::Exchange;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::IdGen;
use serde_json::json;

use super::{LedgerDifference, record_all_in_tx};
use crate::DomainError;
use crate::findings::FindingKind;

/// How long an exchange may wait for a rate before somebody is told of it; that there is none is told at once.
const WAITS_AT_MOST: Duration = Duration::minutes(15);

/// Compares every leg with its exchange; answers at most 100 that differ. Both tables are read whole.
///
/// # Errors
/// When the database cannot be asked.
pub async fn exchange_differences(conn: &mut Conn) -> Result<Vec<LedgerDifference>, DomainError> {
    Ok(diesel::sql_query(include_str!("exchanges/ledger.sql"))
        .load(conn)
        .await?)
}

pub(super) async fn prove_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let differing = exchange_differences(conn).await?.into_iter().map(|row| {
        let detail = json!({ "recorded": row.recorded, "posted": row.posted });
        (format!("event:{}", row.event), detail)
    });
    let found = record_all_in_tx(conn, ids, FindingKind::ExchangeLedgerDiffers, differing.collect(), now).await?;
    let waiting = Exchange::pending_since(conn, now - WAITS_AT_MOST, 100).await?;
    let waiting = waiting.into_iter().map(|exchange| {
        let detail = json!({ "user_id": exchange.user_id, "usdt_micro": exchange.usdt_micro });
        (format!("exchange:{}", exchange.id), detail)
    });
    Ok(found + record_all_in_tx(conn, ids, FindingKind::ExchangeWaits, waiting.collect(), now).await?)
}

#[derive(diesel::QueryableByName)]
struct Lost {
    #[diesel(sql_type = Bool)]
    lost: bool,
}

/// Where something waits and there was a rate since, there is the job that exchanges it. One that is gone (dropped by hand,
/// or a bug) is made anew.
pub(super) async fn requeue_in_tx(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Wake>, DomainError> {
    let found: Lost = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM exchanges x WHERE x.state = 'pending' AND EXISTS (SELECT 1 FROM rates r \
            WHERE r.at > x.created_at AND r.sun_per_usdt IS NOT NULL AND r.refused_as IS NULL)) \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1) AS lost",
    )
    .bind::<Text, _>(JobKind::DepositsExchange.word())
    .get_result(conn)
    .await?;
    if !found.lost {
        return Ok(Vec::new());
    }
    Ok(enqueue_each_in_tx(conn, JobKind::DepositsExchange, &["all".to_owned()], now).await?)
}
