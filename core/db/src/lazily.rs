//! Statements that commit without waiting for the disk, for what can be lost with PostgreSQL's machine and is found again.

use diesel::define_sql_function;
use diesel::sql_types::{Bool, Text};

define_sql_function! {
    /// Sets a parameter, here until the end of the statement's own transaction.
    fn set_config(name: Text, value: Text, is_local: Bool) -> Text;
}

/// True, and as a side effect the transaction of this one statement commits without waiting for the disk.
#[macro_export]
macro_rules! commit_lazily {
    () => {{
        use diesel::ExpressionMethods as _;
        $crate::set_config("synchronous_commit", "off", true).eq("off")
    }};
}
