//! Statements that a connection prepares once.
//!
//! diesel prepares every insert, update and `sql_query` anew, since their text may differ from call to call without end:
//! that costs a second round trip and a plan each time. Most of ours have one text. [`Prepare::prepared`] says so.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement that is kept prepared by its text and the types of its binds, for as long as its connection lives.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<Q>(Q);

/// What can be kept prepared.
pub trait Prepare: QueryFragment<Pg> + Sized {
    /// The same statement, prepared once per connection. For texts of which there are few: not for a batch insert, whose
    /// text grows with its rows.
    fn prepared(self) -> Prepared<Self> {
        Prepared(self)
    }
}

impl<Q: QueryFragment<Pg>> Prepare for Q {}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();
    /// The text is the name.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}
