//! Which times there are.

use chrono::{DateTime, Datelike, Utc};

/// Whether RFC 3339 can write a time: its years have four digits. chrono reads others as well, of which PostgreSQL cannot hold
/// the earliest.
#[must_use]
pub fn is_rfc3339(time: DateTime<Utc>) -> bool {
    (0..=9_999).contains(&time.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_have_four_digits() {
        for (text, is) in [
            ("2027-01-15T08:00:00Z", true),
            ("0000-01-01T00:00:00Z", true),
            ("9999-12-31T23:59:60Z", true),
            ("+10000-01-01T00:00:00Z", false),
            ("-0001-12-31T23:59:59Z", false),
            ("-262143-01-01T00:00:00Z", false),
        ] {
            assert_eq!(is_rfc3339(text.parse().unwrap()), is, "{text}");
        }
    }
}
