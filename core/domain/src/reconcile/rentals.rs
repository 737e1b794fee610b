//! A rental that goes on has its job; none goes on for long; the house's own customer holds what open rentals brought.

use chrono::{DateTime, Duration, Utc};
use db::Conn;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::IdGen;
use serde_json::json;

use super::{Open, record_all_in_tx};
use crate::DomainError;
use crate::findings::FindingKind;

/// How long a rental may take: an order to its deadline and its block's finality, and a payout after that.
pub const RENTAL_STUCK_AFTER: Duration = Duration::hours(2);

#[derive(diesel::QueryableByName)]
struct Short {
    #[diesel(sql_type = BigInt)]
    user_id: i64,
    #[diesel(sql_type = BigInt)]
    owed: i64,
    #[diesel(sql_type = BigInt)]
    balance: i64,
}

/// What is neither spent on an order nor on its way back has to lie at the customer that it was credited to.
const SHORT: &str = "SELECT r.user_id, r.owed, coalesce(a.balance, 0) AS balance \
    FROM (SELECT user_id, sum(amount_sun)::bigint AS owed FROM rentals WHERE state IN ('waiting', 'held') GROUP BY user_id) r \
    LEFT JOIN ledger_accounts a ON a.user_id = r.user_id AND a.asset = 'TRX' \
    WHERE coalesce(a.balance, 0) < r.owed LIMIT 100";

pub(super) async fn prove_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let short: Vec<Short> = diesel::sql_query(SHORT).load(conn).await?;
    let found = short.iter().map(|row| {
        let detail = json!({ "owed_sun": row.owed, "balance_sun": row.balance });
        (format!("user:{}", row.user_id), detail)
    });
    let short = record_all_in_tx(conn, ids, FindingKind::RentalsShort, found.collect(), now).await?;
    let stuck: Vec<Open> = diesel::sql_query(
        "SELECT transfer_id AS id, state, reason_code FROM rentals \
         WHERE state IN ('waiting', 'placed', 'returning') AND updated_at < $1 ORDER BY updated_at LIMIT 100",
    )
    .bind::<Timestamptz, _>(now - RENTAL_STUCK_AFTER)
    .load(conn)
    .await?;
    let found = stuck.iter().map(|rental| {
        let detail = json!({ "state": rental.state, "reason": rental.reason_code });
        (format!("rental:{}", rental.id), detail)
    });
    Ok(short + record_all_in_tx(conn, ids, FindingKind::RentalStuck, found.collect(), now).await?)
}

/// A rental that goes on always has its job. One without (dropped by hand, or a bug) gets a new one.
pub(super) async fn requeue_in_tx(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Wake>, DomainError> {
    let lost: Vec<Open> = diesel::sql_query(
        "SELECT r.transfer_id AS id, r.state, r.reason_code FROM rentals r \
         WHERE r.state IN ('waiting', 'placed', 'returning') \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.object_id = r.transfer_id::text) \
         ORDER BY r.created_at LIMIT 500 FOR UPDATE OF r SKIP LOCKED",
    )
    .bind::<Text, _>(JobKind::DepositsRent.word())
    .load(conn)
    .await?;
    let ids: Vec<String> = lost.iter().map(|rental| rental.id.to_string()).collect();
    Ok(enqueue_each_in_tx(conn, JobKind::DepositsRent, &ids, now).await?)
}
