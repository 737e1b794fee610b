//! The values in force, in a process: what it makes of them is replaced while everything reads it, and follows the newest version.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use db::models::SettingVersion;
use db::{DbError, Pool, acquire};
use kernel::Clock;
use metrics::gauge;
use tokio::sync::Mutex;

use super::{Values, object};

/// Pause between two looks.
const PERIOD: Duration = Duration::from_secs(2);
/// Until the first look that was answered: nobody is to be served by the configuration alone for longer.
const FIRST_PERIOD: Duration = Duration::from_millis(250);

/// Something that is replaced as a whole while others read it. Who read it keeps what he has until he reads again.
#[derive(Debug)]
pub struct Live<T>(RwLock<Arc<T>>);

impl<T> Live<T> {
    /// It is this, for now.
    pub fn new(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }

    /// What it is now.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on it is this.
    pub fn set(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

/// Why the newest version was not seen, or is not used.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The database cannot be asked: what is in force stays so.
    #[error("the version of the settings cannot be read")]
    Db(#[from] DbError),
    /// It does not hold with this process's configuration: what is in force stays so.
    #[error("version {version} of the settings does not hold with this configuration: {why}")]
    Refused {
        /// It.
        version: i64,
        /// What is wrong.
        why: String,
    },
}

impl From<diesel::result::Error> for LookError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// What a process makes of a version's values, or why it cannot.
type Build<T> = Box<dyn Fn(&Values) -> Result<T, String> + Send + Sync>;

/// Keeps something as the newest version wants it.
pub struct Follower<T> {
    live: Arc<Live<T>>,
    build: Build<T>,
    seen: Mutex<Seen>,
}

/// What was seen last: the version, and why it is not used.
#[derive(Debug, Default)]
struct Seen {
    version: Option<i64>,
    refused: Option<String>,
}

impl<T> Follower<T> {
    /// Nothing was seen yet; until then it is as the configuration says.
    pub fn new(live: Arc<Live<T>>, build: impl Fn(&Values) -> Result<T, String> + Send + Sync + 'static) -> Self {
        Self {
            live,
            build: Box::new(build),
            seen: Mutex::default(),
        }
    }

    /// Looks for the newest version, and puts it in force if it was not seen yet. Looks of one process wait for each other, so that
    /// none brings back an older version.
    ///
    /// # Errors
    /// [`LookError`]; what was in force stays so.
    pub async fn look(&self, pool: &Pool, now: DateTime<Utc>) -> Result<i64, LookError> {
        let mut seen = self.seen.lock().await;
        let number = {
            let mut conn = acquire(pool).await?;
            let newest = SettingVersion::newest_number(&mut conn).await?.unwrap_or(0);
            if seen.version != Some(newest) {
                let found = SettingVersion::find(&mut conn, newest).await?;
                let values = found.map_or_else(Values::new, |found| object(&found.overrides));
                self.take(&mut seen, newest, &values);
            }
            newest
        };
        gauge!("switchyard_settings_look_time_seconds").set(float(now.timestamp()));
        gauge!("switchyard_settings_refused").set(if seen.refused.is_some() { 1.0 } else { 0.0 });
        match &seen.refused {
            None => Ok(number),
            Some(why) => Err(LookError::Refused {
                version: number,
                why: why.clone(),
            }),
        }
    }

    fn take(&self, seen: &mut Seen, number: i64, values: &Values) {
        seen.version = Some(number);
        match (self.build)(values) {
            Ok(built) => {
                self.live.set(built);
                seen.refused = None;
                gauge!("switchyard_settings_version").set(float(number));
                tracing::info!(version = number, "settings are in force");
            }
            Err(why) => {
                tracing::error!(version = number, why, "settings do not hold here and are not used");
                seen.refused = Some(why);
            }
        }
    }

    /// Looks for ever. While the database is away, what is in force stays so.
    pub async fn follow(&self, pool: &Pool, clock: &dyn Clock) {
        let (mut was_well, mut answered) = (true, false);
        loop {
            let unanswered = match self.look(pool, clock.now()).await {
                Err(LookError::Db(error)) => Some(error),
                Ok(_) | Err(LookError::Refused { .. }) => None,
            };
            if let (Some(error), true) = (&unanswered, was_well) {
                let error: &dyn std::error::Error = error;
                tracing::warn!(
                    error,
                    "the version of the settings cannot be read; the last one stays in force"
                );
            }
            was_well = unanswered.is_none();
            answered |= was_well;
            tokio::time::sleep(if answered { PERIOD } else { FIRST_PERIOD }).await;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
const fn float(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_read_keeps_what_he_has_and_reads_the_new_one_next() {
        let live = Live::new(1);
        let read = live.get();
        live.set(2);
        assert_eq!((*read, *live.get()), (1, 2));
    }

    #[tokio::test]
    async fn what_does_not_hold_leaves_the_last_in_force() {
        let live = Arc::new(Live::new(0));
        let build = |values: &Values| {
            values
                .get("n")
                .and_then(serde_json::Value::as_i64)
                .ok_or("no n".to_owned())
        };
        let follower = Follower::new(Arc::clone(&live), build);
        let mut seen = Seen::default();
        let values = |text: &str| object(&serde_json::from_str(text).unwrap());
        follower.take(&mut seen, 1, &values(r#"{"n": 5}"#));
        assert_eq!((*live.get(), seen.refused.is_some()), (5, false));
        follower.take(&mut seen, 2, &values("{}"));
        assert_eq!((*live.get(), seen.refused.is_some(), seen.version), (5, true, Some(2)));
        follower.take(&mut seen, 3, &values(r#"{"n": 6}"#));
        assert_eq!((*live.get(), seen.refused.is_some()), (6, false));
    }
}
