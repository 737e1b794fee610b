//! Parameters that lists share: which end comes first, ranges, and one or several words.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use db::models::Span;
use kernel::Amount;

use super::{Moment, QueryParams, parameter};
use crate::problem::Problem;

/// So many words one parameter may hold.
pub(crate) const WORDS_MAX: usize = 20;

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

    /// Takes `order` of a list whose oldest come first where nothing else is asked for.
    pub(crate) fn take_newest_first(&mut self) -> Result<bool, Problem> {
        let order: Option<Order> = self.take("order")?;
        Ok(order.is_some_and(|order| !order.oldest_first))
    }

    /// Takes one of these words, or several with commas between them; what is named twice counts once. Empty where the
    /// parameter is not given.
    pub(crate) fn take_words<T: Copy + PartialEq>(
        &mut self,
        name: &str,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Result<Vec<T>, Problem> {
        let Some(text) = self.take::<String>(name)? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for (place, part) in text.split(',').enumerate() {
            let known = all.iter().copied().find(|one| word(*one) == part);
            let Some(one) = known.filter(|_| place < WORDS_MAX) else {
                return Err(no_such_word(name, all, word));
            };
            if !found.contains(&one) {
                found.push(one);
            }
        }
        Ok(found)
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

/// What is allowed instead.
fn no_such_word<T: Copy>(name: &str, all: &[T], word: fn(T) -> &'static str) -> Problem {
    let words: Vec<String> = all.iter().map(|one| format!("`{}`", word(*one))).collect();
    let detail = format!(
        "must be one of {}, or up to {WORDS_MAX} of them with commas between",
        words.join(", ")
    );
    parameter(&format!("query/{name}"), &detail)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use db::models::OrderState;

    use super::*;

    fn taken(text: &str) -> Result<Vec<OrderState>, Problem> {
        let mut query = QueryParams([("state".to_owned(), text.to_owned())].into());
        query.take_words("state", OrderState::ALL, OrderState::word)
    }

    #[test]
    fn several_words_are_taken_and_what_is_named_twice_counts_once() {
        let (pending, failed) = (OrderState::Pending, OrderState::Failed);
        assert_eq!(taken("pending").unwrap(), [pending]);
        assert_eq!(taken("failed,pending,failed").unwrap(), [failed, pending]);
        assert_eq!(taken(&["pending"; WORDS_MAX].join(",")).unwrap(), [pending]);
        let mut none = QueryParams(BTreeMap::new());
        let states = none.take_words("state", OrderState::ALL, OrderState::word).unwrap();
        assert!(states.is_empty());
    }

    #[test]
    fn other_words_and_too_many_are_refused() {
        let many = ["pending"; WORDS_MAX + 1].join(",");
        for text in [
            "",
            ",",
            "lost",
            "pending,",
            "pending,lost",
            "pending, failed",
            "PENDING",
            many.as_str(),
        ] {
            assert!(taken(text).is_err(), "{text:?}");
        }
    }
}
