//! A clock that a test sets from outside this process. Debug builds only.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Clock, SystemClock};

/// The machine's time plus what `SWITCHYARD_TEST_CLOCK`, a file of seconds in digits, says at that moment.
#[derive(Debug)]
struct FileClock(PathBuf);

impl Clock for FileClock {
    fn now(&self) -> DateTime<Utc> {
        let ahead = std::fs::read_to_string(&self.0)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        SystemClock.now() + TimeDelta::seconds(ahead.unwrap_or(0))
    }
}

/// The clock that a test gave, if one did.
pub(crate) fn from_environment() -> Option<Arc<dyn Clock>> {
    let file = std::env::var_os("SWITCHYARD_TEST_CLOCK")?;
    Some(Arc::new(FileClock(file.into())))
}
