//! What lists have in common: ranges that they are narrowed to, and pages by a place in either direction.

/// A range of which either end may be open. Whether `to` belongs to it is said where it is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span<T> {
    pub from: Option<T>,
    pub to: Option<T>,
}

/// Narrows a boxed query by what is given, and passes over what is not.
macro_rules! narrow {
    ($query:ident, $($given:expr => $column:expr, $how:ident;)+) => {
        $(if let Some(given) = $given {
            $query = $query.filter($column.$how(given));
        })+
    };
}

/// Narrows a boxed query to the rows whose column is one of some values; none of them narrow nothing. One alone is compared as
/// such: an index that begins with the column has the rows in the list's order then.
macro_rules! narrow_to_any {
    ($query:ident, $given:expr => $column:expr) => {
        match $given {
            [] => {}
            [one] => $query = $query.filter($column.eq(one)),
            several => $query = $query.filter($column.eq_any(several)),
        }
    };
}

/// Orders a boxed query by a unique column, and starts it behind a place in that order.
macro_rules! page_by {
    ($query:ident, $column:expr, $place:expr, $oldest_first:expr) => {
        if $oldest_first {
            $query = $query.order($column.asc());
            if let Some(place) = $place {
                $query = $query.filter($column.gt(place));
            }
        } else {
            $query = $query.order($column.desc());
            if let Some(place) = $place {
                $query = $query.filter($column.lt(place));
            }
        }
    };
}

pub(super) use {narrow, narrow_to_any, page_by};
