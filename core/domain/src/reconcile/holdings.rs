//! What customers paid in, less what was paid out and burned (`house:deposits`), is on the chain, at addresses of ours.
//!
//! Both sides move while one looks, so the comparison leans to one side: what may have left and is not booked yet is taken off
//! what must be there. More than that is no difference: the treasury has money of the house's own, and what waits for an
//! operator lies there, too.

use chrono::{DateTime, Utc};
use db::{Conn, Pool, acquire, run_tx};
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::RunQueryDsl;
use kernel::{Asset, IdGen};
use ledger::{Account, house_balance};
use serde_json::{Value, json};

use super::record_all_in_tx;
use crate::DomainError;
use crate::findings::FindingKind;

/// Customers' own addresses that are read from the chain: those that most lies at. What lies at the others is taken from the
/// books, so that any number of customers costs the same.
const READ_AT_MOST: i64 = 50;

/// Addresses to be read from the chain.
const PLACES: &str = "SELECT address AS place FROM deposit_addresses WHERE network = $1 AND kind <> 'user' \
    UNION SELECT address FROM supplier_wallets WHERE purpose = 'treasury' AND address IS NOT NULL \
    UNION (SELECT a.address FROM incoming_transfers t JOIN deposit_addresses a ON a.id = t.address_id \
        WHERE t.network = $1 AND t.state = 'credited' AND t.swept_by IS NULL AND a.kind = 'user' \
        GROUP BY a.address ORDER BY sum(t.credited) DESC, a.address LIMIT $2)";

/// What lies at customers' own addresses that were not read, by the books: credited, and not collected; and what the last sweep
/// left at each.
const BELIEVED: &str = "SELECT (coalesce((SELECT sum(t.credited) FROM incoming_transfers t \
            JOIN deposit_addresses a ON a.id = t.address_id \
            WHERE t.network = $1 AND t.asset = $2 AND t.state = 'credited' AND t.swept_by IS NULL AND a.kind = 'user' \
                AND NOT a.address = ANY($3)), 0) \
        + coalesce((SELECT sum(l.left_minor) FROM (SELECT DISTINCT ON (s.wallet_id) s.left_minor FROM sweeps s \
            JOIN supplier_wallets w ON w.id = s.wallet_id \
            WHERE s.network = $1 AND s.asset = $2 AND s.state = 'completed' AND NOT w.address = ANY($3) \
            ORDER BY s.wallet_id, s.read_block DESC) l), 0))::bigint \
    AS minor";

/// What may have left and is not booked: payouts that are open and sweeps on their way, and the most that each transaction of
/// ours may burn.
const LEAVING: &str = "SELECT (coalesce((SELECT sum(amount) FROM payouts WHERE network = $1 AND asset = $2 \
            AND state IN ('requested', 'approved', 'processing', 'sent')), 0) \
        + coalesce((SELECT sum(amount) FROM sweeps WHERE network = $1 AND asset = $2 AND state IN ('processing', 'sent')), 0) \
        + CASE $2 WHEN 'TRX' THEN $3 * (SELECT count(*) FROM chain_transactions WHERE network = $1 \
            AND intent_kind IN ('payout', 'sweep', 'activate') AND state IN ('signed', 'sent', 'included')) ELSE 0 END)::bigint \
    AS minor";

#[derive(diesel::QueryableByName)]
struct Place {
    #[diesel(sql_type = Text)]
    place: String,
}

#[derive(diesel::QueryableByName)]
struct Minor {
    #[diesel(sql_type = BigInt)]
    minor: i64,
}

/// The addresses that a network's holdings lie at, as far as they are read from the chain.
///
/// # Errors
/// When the database cannot be asked.
pub async fn places(pool: &Pool, network: &str) -> Result<Vec<String>, DomainError> {
    let mut conn = acquire(pool).await?;
    let places: Vec<Place> = diesel::sql_query(PLACES)
        .bind::<Text, _>(network)
        .bind::<BigInt, _>(READ_AT_MOST)
        .load(&mut conn)
        .await?;
    Ok(places.into_iter().map(|row| row.place).collect())
}

/// What the books say at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Books {
    /// Paid in, less paid out and burned.
    came_in: i128,
    /// What may have left and is not booked.
    leaving: i128,
}

/// The books of one asset on a network. To be asked before the chain is read, and again by [`shortages`] after it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn books(
    conn: &mut Conn,
    (network, asset): (&str, Asset),
    transaction_burns_sun: i64,
) -> Result<Books, DomainError> {
    let named = network.parse();
    let account = Account::Deposits {
        network: named.map_err(|_| DomainError::Broken(format!("{network:?} is no network")))?,
        asset,
    };
    let came_in = house_balance(conn, &account).await?.saturating_neg();
    let leaving: Minor = diesel::sql_query(LEAVING)
        .bind::<Text, _>(network)
        .bind::<Text, _>(asset.code())
        .bind::<BigInt, _>(transaction_burns_sun)
        .get_result(conn)
        .await?;
    Ok(Books {
        came_in,
        leaving: leaving.minor.into(),
    })
}

/// What the chain said that lies at addresses of ours.
#[derive(Debug, Clone, Copy)]
pub struct Holdings<'a> {
    /// Of what.
    pub asset: Asset,
    /// The books before the first address was read.
    pub before: Books,
    /// The addresses that were read.
    pub places: &'a [String],
    /// How much lies there together.
    pub minor: i128,
}

/// What lies at our addresses and has to, of each asset of which less is there: a subject for a finding, and the figures.
///
/// # Errors
/// When the database fails.
pub async fn shortages(
    pool: &Pool,
    (network, transaction_burns_sun): (&str, i64),
    read: &[Holdings<'_>],
) -> Result<Vec<(String, Value)>, DomainError> {
    let mut conn = acquire(pool).await?;
    let mut short = Vec::new();
    for held in read {
        let after = books(&mut conn, (network, held.asset), transaction_burns_sun).await?;
        let believed: Minor = diesel::sql_query(BELIEVED)
            .bind::<Text, _>(network)
            .bind::<Text, _>(held.asset.code())
            .bind::<Array<Text>, _>(held.places)
            .get_result(&mut conn)
            .await?;
        let came_in = after.came_in.min(held.before.came_in);
        let leaving = after.leaving.max(held.before.leaving);
        let there = held.minor.saturating_add(believed.minor.into());
        let missing = came_in.saturating_sub(leaving).saturating_sub(there);
        if missing > 0 {
            let detail = json!({
                "paid_in_minor": came_in.to_string(), "leaving_minor": leaving.to_string(),
                "read_minor": held.minor.to_string(), "believed_minor": believed.minor,
                "missing_minor": missing.to_string(), "addresses": held.places.len(),
            });
            short.push((format!("holdings:{network}:{}", held.asset), detail));
        }
    }
    Ok(short)
}

/// Records what is missing on all networks, and closes what is not any more. Answers how much it is.
///
/// # Errors
/// When the database fails.
pub async fn record(
    pool: &Pool,
    ids: &dyn IdGen,
    short: Vec<(String, Value)>,
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    run_tx(pool, "compare_holdings", async |conn| {
        record_all_in_tx(conn, ids, FindingKind::DepositsNotCovered, short.clone(), now).await
    })
    .await
}
