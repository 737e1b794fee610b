//! Settings that operators change while everything runs, in versions: each says who made it and why, the newest is in force, and to
//! go back is to make an earlier one's values the newest.
//!
//! ```text
//!   configuration of the process ◀──lies over── values of the newest version ◀──look, every two seconds── every process
//! ```
//!
//! Which settings there are and what they may be is known to the processes, which hold the configuration: they hand in a judge. What
//! was promised before a change keeps its terms, since orders, quotes, deposits and payouts keep them in their rows.

mod change;
mod live;
mod read;

use serde_json::{Map, Value};

pub use change::{Changed, Edit, Wish, change};
pub(crate) use change::{change_in_tx, check_in_tx};
pub use live::{Follower, Live, LookError};
pub use read::{Difference, InForce, SetBy, in_force, version, versions};

/// Values by the names of their settings. What is not among them is as the configuration says.
pub type Values = Map<String, Value>;

/// What stands against one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The setting, or a key of the configuration that it does not go with.
    pub name: String,
    /// What is wrong, and what to do.
    pub why: String,
    /// Whether it is one of those that were to be changed.
    pub asked: bool,
}

/// Reads values, and judges the configuration with them over it. Answers them as they are kept, or what is wrong: names, and why.
pub type Judge<'a> = dyn Fn(&Values) -> Result<Values, Vec<(String, String)>> + Send + Sync + 'a;

/// An object out of a row.
fn object(value: &Value) -> Values {
    value.as_object().cloned().unwrap_or_default()
}
