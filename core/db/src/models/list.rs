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

pub(super) use {narrow, page_by};
