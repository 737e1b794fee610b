//! A time of a request.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use kernel::is_rfc3339;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A time that RFC 3339 can write. PostgreSQL holds every one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) DateTime<Utc>);

/// A text that is no such time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time of RFC 3339, such as 2027-01-15T08:00:00Z")]
pub(crate) struct NoMoment;

impl Moment {
    fn of(time: DateTime<Utc>) -> Result<Self, NoMoment> {
        is_rfc3339(time).then_some(Self(time)).ok_or(NoMoment)
    }
}

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let time: DateTime<Utc> = text.parse().map_err(|_| NoMoment)?;
        Self::of(time)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(DateTime::<Utc>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
