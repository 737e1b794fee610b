//! Which times there are.

use chrono::{DateTime, Datelike, Utc};

/// Whether RFC 3339 can write a time, also as PostgreSQL keeps it, where a leap second is the one after it: its years have four
/// digits. chrono reads others as well, of which PostgreSQL cannot hold the earliest.
#[must_use]
pub fn is_rfc3339(time: DateTime<Utc>) -> bool {
    let written = |time: DateTime<Utc>| (0..=9_999).contains(&time.year());
    let kept = DateTime::from_timestamp_micros(time.timestamp_micros());
    written(time) && kept.is_some_and(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_have_four_digits() {
        for (text, is) in [
            ("2027-01-15T08:00:00Z", true),
            ("0000-01-01T00:00:00Z", true),
            ("9999-12-31T23:59:59.999999999Z", true),
            ("9999-12-31T23:59:60.999999999Z", false),
            ("9999-12-31T23:59:60Z", false),
            ("+10000-01-01T00:00:00Z", false),
            ("-0001-12-31T23:59:59Z", false),
            ("-262143-01-01T00:00:00Z", false),
        ] {
            assert_eq!(is_rfc3339(text.parse().unwrap()), is, "{text}");
        }
    }
}
