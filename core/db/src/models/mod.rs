//! One file per table: the row, what is inserted, and the queries.
