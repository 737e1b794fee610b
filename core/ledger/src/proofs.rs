//! Proofs over the whole books, for the reconcilers. Each is one statement, so it sees one moment.

use db::Conn;
use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use kernel::Asset;

use crate::balances::parse_sum;
use crate::{Account, LedgerError};

/// An account whose kept balance is not what its transfers say, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which one.
    pub account: Account,
    /// Cached on a user's account, or since the last checkpoint of a house account.
    pub kept: i128,
    /// Summed from the first transfer on.
    pub replayed: i128,
}

/// An asset whose accounts together are not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imbalance {
    /// Which one.
    pub asset: Asset,
    /// The total of all kept balances, in minor units.
    pub total: i128,
}

#[derive(QueryableByName)]
struct DifferenceRow {
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    kept: String,
    #[diesel(sql_type = Text)]
    replayed: String,
}

#[derive(QueryableByName)]
struct ImbalanceRow {
    #[diesel(sql_type = Text)]
    asset: String,
    #[diesel(sql_type = Text)]
    total: String,
}

/// Replays every account from its first transfer and answers those whose kept balance differs, at most 100. Reads the
/// whole table of transfers.
///
/// # Errors
/// When the database cannot be asked.
pub async fn check_replay(conn: &mut Conn) -> Result<Vec<Difference>, LedgerError> {
    let rows: Vec<DifferenceRow> = sql_query(include_str!("proofs/replay.sql")).load(conn).await?;
    let difference = |row: DifferenceRow| {
        Ok(Difference {
            kept: parse_sum(&row.kept)?,
            replayed: parse_sum(&row.replayed)?,
            account: row.code.parse().map_err(|_| LedgerError::Corrupt(row.code))?,
        })
    };
    rows.into_iter().map(difference).collect()
}

/// Adds up the kept balances of each asset, users' and the house's, and answers those that are not zero. Every transfer
/// debits what it credits, so the sum is zero unless a cached balance or a checkpoint is wrong.
///
/// # Errors
/// When the database cannot be asked.
pub async fn check_balanced(conn: &mut Conn) -> Result<Vec<Imbalance>, LedgerError> {
    let rows: Vec<ImbalanceRow> = sql_query(include_str!("proofs/balanced.sql")).load(conn).await?;
    let imbalance = |row: ImbalanceRow| {
        Ok(Imbalance {
            asset: row.asset.parse().map_err(|_| LedgerError::Corrupt(row.asset))?,
            total: parse_sum(&row.total)?,
        })
    };
    rows.into_iter().map(imbalance).collect()
}
