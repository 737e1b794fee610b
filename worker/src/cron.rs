//! Fires schedules: each tick becomes one job, whichever worker sees it first.
//!
//! A tick is claimed by inserting its row, in the transaction that asks for its job. So any number of workers fire it
//! once, and a crash between the two is impossible. Each look asks the clock anew, so a clock that jumps costs nothing:
//! what was claimed stays claimed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use db::schema::cron_ticks;
use db::{Conn, DbError, Pool, Prepare as _, acquire, run_tx};
use diesel::dsl::{exists, select};
use diesel::{ExpressionMethods, QueryDsl, alias};
use diesel_async::RunQueryDsl;
use jobs::{JobKind, JobRequest, Wake, WakeQueue, enqueue_in_tx};
use kernel::Clock;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// What happens to a tick that nobody saw in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// It is skipped when it is older than a minute.
    Skip,
    /// The last one is fired once, however late; those before it are not.
    CatchUp,
}

/// One schedule.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its name, the same in every worker and for ever.
    pub name: String,
    /// When it ticks, in UTC.
    pub cron: cron::Schedule,
    /// What happens to a tick that nobody saw in time.
    pub missed: Missed,
    /// The job that a tick asks for.
    pub job: JobKind,
    /// Its object.
    pub object_id: String,
}

/// A tick that is skipped if missed still fires within this time.
const GRACE: TimeDelta = TimeDelta::seconds(60);
/// The clock is looked at this often, since it may jump.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// Ticks older than this are forgotten, except the last of each schedule.
const KEPT: TimeDelta = TimeDelta::days(7);
const PRUNE_PERIOD: Duration = Duration::from_secs(3600);

/// Fires the schedules of one worker.
pub struct Cron {
    pool: Pool,
    clock: Arc<dyn Clock>,
    wakes: WakeQueue,
    claimed_by: String,
    schedules: Vec<Schedule>,
    started: DateTime<Utc>,
    /// The tick of each schedule that was dealt with last.
    seen: BTreeMap<String, DateTime<Utc>>,
}

impl Cron {
    /// Nothing fires before the first look.
    #[must_use]
    pub fn new(
        pool: Pool,
        clock: Arc<dyn Clock>,
        wakes: WakeQueue,
        claimed_by: String,
        schedules: Vec<Schedule>,
    ) -> Self {
        let started = clock.now();
        Self {
            pool,
            clock,
            wakes,
            claimed_by,
            schedules,
            started,
            seen: BTreeMap::new(),
        }
    }

    /// Fires ticks until told to stop. Errors are logged and the tick is tried again at the next look.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut next_prune = Instant::now();
        while !stop.is_cancelled() {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "a tick was not claimed and is tried again");
            }
            if Instant::now() >= next_prune {
                next_prune = Instant::now() + PRUNE_PERIOD;
                if let Err(error) = self.prune().await {
                    tracing::warn!(%error, "old ticks were not removed");
                }
            }
            stop.run_until_cancelled(sleep(self.until_next())).await;
        }
    }

    /// Deals with the last tick of each schedule; answers how many this worker fired.
    ///
    /// # Errors
    /// When PostgreSQL does not answer; the remaining schedules wait for the next look.
    pub async fn look(&mut self) -> Result<usize, DbError> {
        let now = self.clock.now();
        let mut fired = 0;
        for index in 0..self.schedules.len() {
            let Some(schedule) = self.schedules.get(index) else {
                break;
            };
            let Some(tick) = last_tick(&schedule.cron, now) else {
                continue;
            };
            if self.seen.get(&schedule.name) == Some(&tick) {
                continue;
            }
            fired += usize::from(self.deal_with(schedule, tick, now).await?);
            self.seen.insert(schedule.name.clone(), tick);
        }
        Ok(fired)
    }

    /// Removes the rows of ticks that are long past.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn prune(&self) -> Result<usize, DbError> {
        let newer = alias!(cron_ticks as newer);
        let mut conn = acquire(&self.pool).await?;
        let removed = diesel::delete(
            cron_ticks::table
                .filter(cron_ticks::tick_at.lt(self.clock.now() - KEPT))
                .filter(exists(
                    newer
                        .filter(newer.field(cron_ticks::schedule).eq(cron_ticks::schedule))
                        .filter(newer.field(cron_ticks::tick_at).gt(cron_ticks::tick_at)),
                )),
        )
        .execute(&mut conn)
        .await?;
        Ok(removed)
    }

    async fn deal_with(&self, schedule: &Schedule, tick: DateTime<Utc>, now: DateTime<Utc>) -> Result<bool, DbError> {
        let fire = match schedule.missed {
            Missed::Skip => now - tick <= GRACE,
            // before the first start there was nobody to miss a tick
            Missed::CatchUp => tick >= self.started || self.ever_ticked(&schedule.name).await?,
        };
        if !fire && schedule.missed == Missed::Skip {
            tracing::info!(schedule = schedule.name, %tick, "a missed tick is skipped");
            return Ok(false);
        }
        let claimed = run_tx(&self.pool, "cron_tick", async |conn| {
            self.claim_in_tx(conn, schedule, tick, now, fire).await
        });
        let Some(wake) = claimed.await? else { return Ok(false) };
        self.wakes.push(wake);
        if fire {
            let late = (now - tick).as_seconds_f64().max(0.0);
            metrics::counter!("switchyard_cron_ticks_total", "schedule" => schedule.name.clone()).increment(1);
            tracing::debug!(schedule = schedule.name, %tick, late, "a tick is fired");
        }
        Ok(fire)
    }

    /// `None`: somebody else has it. Without `fire` the tick is only noted, as the point from which ticks can be missed.
    async fn claim_in_tx(
        &self,
        conn: &mut Conn,
        schedule: &Schedule,
        tick: DateTime<Utc>,
        now: DateTime<Utc>,
        fire: bool,
    ) -> Result<Option<Option<Wake>>, DbError> {
        let inserted = diesel::insert_into(cron_ticks::table)
            .values((
                cron_ticks::schedule.eq(&schedule.name),
                cron_ticks::tick_at.eq(tick),
                cron_ticks::claimed_by.eq(&self.claimed_by),
                cron_ticks::claimed_at.eq(now),
            ))
            .on_conflict_do_nothing()
            .prepared()
            .execute(conn)
            .await?;
        if inserted == 0 {
            return Ok(None);
        }
        if !fire {
            return Ok(Some(None));
        }
        let request = JobRequest {
            kind: schedule.job,
            object_id: &schedule.object_id,
            run_at: now,
            now,
        };
        Ok(Some(enqueue_in_tx(conn, request).await?))
    }

    async fn ever_ticked(&self, schedule: &str) -> Result<bool, DbError> {
        let mut conn = acquire(&self.pool).await?;
        let rows = cron_ticks::table.filter(cron_ticks::schedule.eq(schedule));
        Ok(select(exists(rows)).get_result(&mut conn).await?)
    }

    /// Until the next tick of any schedule, or until the clock is to be looked at again.
    fn until_next(&self) -> Duration {
        let now = self.clock.now();
        let next = self
            .schedules
            .iter()
            .filter_map(|schedule| schedule.cron.after(&now).next())
            .min();
        let wait = next
            .and_then(|next| (next - now).to_std().ok())
            .unwrap_or(LONGEST_SLEEP);
        wait.clamp(Duration::from_millis(1), LONGEST_SLEEP)
    }
}

/// The last tick at or before `now`.
fn last_tick(cron: &cron::Schedule, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    cron.after(&(now + TimeDelta::microseconds(1))).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_tick_is_at_or_before_now() {
        let minutes: cron::Schedule = "0 */5 * * * *".parse().unwrap();
        for (now, tick) in [
            ("2026-11-21T10:05:00Z", "2026-11-21T10:05:00Z"),
            ("2026-11-21T10:04:59.999999Z", "2026-11-21T10:00:00Z"),
            ("2026-11-21T10:05:00.000001Z", "2026-11-21T10:05:00Z"),
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("2025-12-31T23:59:59Z", "2025-12-31T23:55:00Z"),
        ] {
            assert_eq!(last_tick(&minutes, at(now)), Some(at(tick)), "{now}");
        }
        let yearly: cron::Schedule = "0 0 0 29 2 *".parse().unwrap();
        assert_eq!(
            last_tick(&yearly, at("2027-01-01T00:00:00Z")),
            Some(at("2024-02-29T00:00:00Z"))
        );
    }
}
