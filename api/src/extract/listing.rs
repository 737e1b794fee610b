//! Parameters that lists share: which end comes first, and ranges.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use db::models::Span;
use kernel::Amount;

use super::{Moment, QueryParams, parameter};
use crate::problem::Problem;

/// Which end of a list comes first.
struct Order {
    oldest_first: bool,
}

impl FromStr for Order {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "newest" => Ok(Self { oldest_first: false }),
            "oldest" => Ok(Self { oldest_first: true }),
            _ => Err(()),
        }
    }
}

/// A transaction's id: 64 hex digits, kept in small letters.
struct TxId(String);

impl FromStr for TxId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err(())
    }
}

impl QueryParams {
    /// Takes `order`: whether the oldest come first. Cursors are places in the list and good in both directions.
    pub(crate) fn take_oldest_first(&mut self) -> Result<bool, Problem> {
        let order: Option<Order> = self.take("order")?;
        Ok(order.is_some_and(|order| order.oldest_first))
    }

    /// Takes `txid`, of a transaction of TRON.
    pub(crate) fn take_txid(&mut self) -> Result<Option<String>, Problem> {
        let txid: Option<TxId> = self.take("txid")?;
        Ok(txid.map(|txid| txid.0))
    }

    /// Takes `since`, and `until`, which is not part of the range.
    pub(crate) fn take_period(&mut self) -> Result<Span<DateTime<Utc>>, Problem> {
        let (since, until): (Option<Moment>, Option<Moment>) = (self.take("since")?, self.take("until")?);
        span(
            (since.map(|since| since.0), "since"),
            (until.map(|until| until.0), "until"),
        )
    }

    /// Takes a range of numbers, both ends included.
    pub(crate) fn take_span(&mut self, least: &str, most: &str) -> Result<Span<i64>, Problem> {
        span((self.take(least)?, least), (self.take(most)?, most))
    }

    /// Takes a range of amounts, both ends included, in the smallest unit.
    pub(crate) fn take_amounts(&mut self, least: &str, most: &str) -> Result<Span<i64>, Problem> {
        let (from, to): (Option<Amount>, Option<Amount>) = (self.take(least)?, self.take(most)?);
        span((from.map(Amount::minor), least), (to.map(Amount::minor), most))
    }
}

fn span<T: PartialOrd>((from, least): (Option<T>, &str), (to, most): (Option<T>, &str)) -> Result<Span<T>, Problem> {
    if let (Some(from), Some(to)) = (&from, &to)
        && from > to
    {
        return Err(parameter(
            &format!("query/{least}"),
            &format!("must not be beyond {most}: exchange them, or leave one out"),
        ));
    }
    Ok(Span { from, to })
}
