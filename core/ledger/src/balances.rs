//! Balances: cached on user accounts by the database, summed from a checkpoint on for house accounts.

use db::Conn;
use db::schema::ledger_accounts as a;
use diesel::sql_types::Text;
use diesel::{ExpressionMethods, QueryDsl, QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use kernel::{Amount, Asset, UserId};

use crate::{Account, LedgerError};

diesel::define_sql_function! {
    /// Locks an account's row until the transaction ends and answers its balance.
    fn ledger_lock_balance(code: Text) -> Nullable<BigInt>;
}

/// A sum that may exceed 64 bits, as text.
#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = Text)]
    balance: String,
}

/// What a user has of every asset; zero where no account was opened yet.
///
/// # Errors
/// When the database cannot be asked.
pub async fn user_balances(conn: &mut Conn, user: UserId) -> Result<Vec<(Asset, Amount)>, LedgerError> {
    let codes = Asset::ALL.map(|asset| Account::User { user, asset }.code());
    let rows: Vec<(String, Option<i64>)> = a::table
        .filter(a::code.eq_any(codes))
        .select((a::asset, a::balance))
        .load(conn)
        .await?;
    let of = |asset: Asset| {
        rows.iter()
            .find(|(code, _)| code == asset.code())
            .and_then(|(_, minor)| *minor)
    };
    Asset::ALL
        .into_iter()
        .map(|asset| Ok((asset, stored(of(asset))?)))
        .collect()
}

/// Locks a user's account until the transaction ends and answers its balance, zero if it was never opened (then there
/// is nothing to lock). Not needed before a debit, which the database refuses by itself; it serves callers that decide
/// by the balance.
///
/// # Errors
/// When the database cannot be asked.
pub async fn lock_user_balance_in_tx(conn: &mut Conn, user: UserId, asset: Asset) -> Result<Amount, LedgerError> {
    let code = Account::User { user, asset }.code();
    let minor: Option<i64> = diesel::select(ledger_lock_balance(code)).get_result(conn).await?;
    stored(minor)
}

fn stored(minor: Option<i64>) -> Result<Amount, LedgerError> {
    Amount::from_minor(minor.unwrap_or(0)).map_err(|error| LedgerError::Corrupt(error.to_string()))
}

/// Credits minus debits of any account, in minor units: the last checkpoint plus what was posted since. Right for house
/// accounts, and for a user's (which has no checkpoint) as a slow proof of the cached one.
///
/// # Errors
/// When the database cannot be asked.
pub async fn house_balance(conn: &mut Conn, account: &Account) -> Result<i128, LedgerError> {
    let sum: Sum = sql_query(include_str!("balances/since_checkpoint.sql"))
        .bind::<Text, _>(account.code())
        .get_result(conn)
        .await?;
    parse_sum(&sum.balance)
}

/// What is held for open orders.
///
/// # Errors
/// As [`house_balance`].
pub async fn escrow_balance(conn: &mut Conn, asset: Asset) -> Result<i128, LedgerError> {
    house_balance(conn, &Account::Escrow(asset)).await
}

/// The money of one group of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// `users`, or a house account without its asset: `escrow`, `deposits:nile`.
    pub account: String,
    /// Of what.
    pub asset: Asset,
    /// Credits minus debits, in minor units.
    pub minor: i128,
}

#[derive(QueryableByName)]
struct TotalRow {
    #[diesel(sql_type = Text)]
    account: String,
    #[diesel(sql_type = Text)]
    asset: String,
    #[diesel(sql_type = Text)]
    balance: String,
}

/// What users have together, and what is on each house account, all at one moment.
///
/// # Errors
/// When the database cannot be asked.
pub async fn totals(conn: &mut Conn) -> Result<Vec<Total>, LedgerError> {
    let rows: Vec<TotalRow> = sql_query(include_str!("balances/totals.sql")).load(conn).await?;
    let total = |row: TotalRow| {
        Ok(Total {
            minor: parse_sum(&row.balance)?,
            asset: row.asset.parse().map_err(|_| LedgerError::Corrupt(row.asset))?,
            account: row.account,
        })
    };
    rows.into_iter().map(total).collect()
}

/// Reads a `numeric` without decimals that came as text.
pub(crate) fn parse_sum(text: &str) -> Result<i128, LedgerError> {
    text.parse()
        .map_err(|_| LedgerError::Corrupt(format!("{text:?} is no sum")))
}
