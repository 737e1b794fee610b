//! The time that all processes share: each machine's clock, corrected by PostgreSQL's.
//!
//! Deadlines, leases and pauses are written by one process and read by another. A machine whose clock is wrong would end
//! orders too early, take running jobs for lost, or leave its own to nobody. So no process believes its machine about
//! what time it is, only about how fast it goes by.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::Timestamptz;
use kernel::{Clock, SystemClock};

use crate::{DbError, Pool, acquire};

/// Pause between two corrections.
const PERIOD: Duration = Duration::from_secs(5);
/// A machine that is this wrong is worth a warning.
const WRONG: TimeDelta = TimeDelta::seconds(2);

/// A machine's clock less what it is ahead of the shared time.
#[derive(Debug)]
pub struct SharedClock {
    machine: Arc<dyn Clock>,
    ahead_us: AtomicI64,
}

#[derive(diesel::QueryableByName)]
struct Told {
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
}

impl SharedClock {
    /// Believes the machine until it is corrected. Give it one that no step of the machine's time moves.
    #[must_use]
    pub fn new(machine: Arc<dyn Clock>) -> Self {
        Self {
            machine,
            ahead_us: AtomicI64::new(0),
        }
    }

    /// Takes what the shared time was at some moment of these two by the machine's clock. Within what the question took,
    /// a difference is no difference.
    pub fn correct(&self, (asked, answered): (DateTime<Utc>, DateTime<Utc>), said: DateTime<Utc>) {
        let half = (answered - asked) / 2;
        let ahead = asked + half - said;
        let known = TimeDelta::microseconds(self.ahead_us.load(Ordering::SeqCst));
        if (ahead - known).abs() > half {
            self.ahead_us
                .store(ahead.num_microseconds().unwrap_or_default(), Ordering::SeqCst);
        }
    }

    /// Corrects itself by PostgreSQL.
    ///
    /// # Errors
    /// When PostgreSQL does not answer: then it goes on as it was.
    pub async fn ask(&self, pool: &Pool) -> Result<(), DbError> {
        use diesel_async::RunQueryDsl; // not for the whole file: atomics have a `load`, too

        let mut conn = acquire(pool).await?;
        let asked = self.machine.now();
        let told: Told = diesel::sql_query("SELECT clock_timestamp() AS at")
            .get_result(&mut conn)
            .await?;
        self.correct((asked, self.machine.now()), told.at);
        metrics::gauge!("switchyard_clock_ahead_seconds").set(self.machine_is_ahead().as_seconds_f64());
        Ok(())
    }

    /// How far the clock that this machine shows is ahead, whatever clock this one was given.
    fn machine_is_ahead(&self) -> TimeDelta {
        SystemClock.now() - self.now()
    }

    /// Corrects itself for ever. While PostgreSQL is away it goes on at the machine's pace.
    pub async fn follow(self: Arc<Self>, pool: Pool) {
        let mut was_wrong = false;
        loop {
            if self.ask(&pool).await.is_ok() {
                let ahead = self.machine_is_ahead();
                let wrong = ahead.abs() > WRONG;
                if wrong && !was_wrong {
                    let seconds = ahead.as_seconds_f64();
                    tracing::warn!(seconds, "this machine's clock is ahead of PostgreSQL's, which is used");
                }
                was_wrong = wrong;
            }
            tokio::time::sleep(PERIOD).await;
        }
    }
}

impl Clock for SharedClock {
    fn now(&self) -> DateTime<Utc> {
        self.machine.now() - TimeDelta::microseconds(self.ahead_us.load(Ordering::SeqCst))
    }
}
