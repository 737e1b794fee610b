//! Ticks fire once, whoever sees them, however late, and wherever the clock jumps.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use db::Pool;
use jobs::{JobKind, WakeQueue};
use kernel::{Clock, ManualClock, SystemClock};
use switchyard_worker::cron::{Cron, Missed, Schedule};
use testkit::{Role, TestDb};
use tokio_util::sync::CancellationToken;

use crate::queue_support::{count, shared_redis, until};

fn schedule(cron: &str, missed: Missed) -> Schedule {
    Schedule {
        name: "test".into(),
        cron: cron.parse().unwrap(),
        missed,
        job: JobKind::OperationsPrune,
        object_id: "all".into(),
    }
}

fn replica(pool: &Pool, clock: &Arc<ManualClock>, wakes: &WakeQueue, schedule: &Schedule) -> Cron {
    Cron::new(
        pool.clone(),
        clock.clone(),
        wakes.clone(),
        "replica".into(),
        vec![schedule.clone()],
    )
}

fn wakes() -> WakeQueue {
    WakeQueue::connect(shared_redis()).unwrap()
}

fn noon() -> DateTime<Utc> {
    "2026-11-21T12:00:30Z".parse().unwrap()
}

/// How often the job was asked for; it is never run here.
async fn asked(pool: &Pool) -> i64 {
    count(pool, "SELECT coalesce(max(request) + 1, 0)::bigint AS n FROM jobs").await
}

#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_fire_each_tick_once() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let clock = Arc::new(ManualClock::at(noon()));
    let wakes = wakes();
    let every_minute = schedule("0 * * * * *", Missed::CatchUp);
    let mut replicas: Vec<_> = (0..3).map(|_| replica(&pool, &clock, &wakes, &every_minute)).collect();
    for minute in 0..5 {
        let looks = replicas.iter_mut().flat_map(|replica| [replica]).map(Cron::look);
        let fired: usize = futures::future::join_all(looks)
            .await
            .into_iter()
            .map(Result::unwrap)
            .sum();
        // nobody missed the tick before the first start
        assert_eq!(fired, usize::from(minute > 0), "minute {minute}");
        for replica in &mut replicas {
            assert_eq!(replica.look().await.unwrap(), 0, "looking again changes nothing");
        }
        clock.advance_seconds(60);
    }
    assert_eq!(asked(&pool).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_the_last_missed_tick_is_caught_up_once_or_skipped() {
    for (missed, expected) in [(Missed::CatchUp, 1), (Missed::Skip, 0)] {
        let db = TestDb::new().await;
        let pool = db.pool(Role::Worker);
        let clock = Arc::new(ManualClock::at(noon()));
        let wakes = wakes();
        let hourly = schedule("0 0 * * * *", missed);
        replica(&pool, &clock, &wakes, &hourly).look().await.unwrap();
        let before = asked(&pool).await;
        clock.advance_seconds(6 * 3600 + 600);
        let mut restarted = [0, 1].map(|_| replica(&pool, &clock, &wakes, &hourly));
        let mut fired = 0;
        for replica in &mut restarted {
            fired += replica.look().await.unwrap();
        }
        assert_eq!(fired, expected, "{missed:?}");
        assert_eq!(asked(&pool).await - before, i64::try_from(expected).unwrap());
        clock.advance_seconds(3600 - 600);
        assert_eq!(
            restarted[0].look().await.unwrap(),
            1,
            "{missed:?}: the next tick fires as ever"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_that_is_a_little_late_is_not_missed() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let clock = Arc::new(ManualClock::at(noon()));
    let mut cron = replica(&pool, &clock, &wakes(), &schedule("0 0 * * * *", Missed::Skip));
    assert_eq!(cron.look().await.unwrap(), 1, "half a minute late");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_repeats_nothing_and_stops_nothing() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let clock = Arc::new(ManualClock::at(noon()));
    let mut cron = replica(&pool, &clock, &wakes(), &schedule("0 * * * * *", Missed::CatchUp));
    cron.look().await.unwrap();
    let day = 86_400;
    // forward a day, back again, and on: each minute that comes for the first time fires, none twice
    for (jump, fires) in [
        (60, 1),
        (day, 1),
        (0, 0),
        (-day, 0),
        (60, 1),
        (-60, 0),
        (60, 0),
        (60, 1),
        (day - 120, 0),
        (60, 1),
    ] {
        clock.advance_seconds(jump);
        assert_eq!(cron.look().await.unwrap(), fires, "after {jump} at {}", clock.now());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_whose_job_cannot_be_written_is_tried_again() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let clock = Arc::new(ManualClock::at(noon()));
    let mut cron = replica(&pool, &clock, &wakes(), &schedule("0 * * * * *", Missed::Skip));
    db.sql("ALTER TABLE jobs RENAME TO away").await;
    assert!(cron.look().await.is_err());
    db.sql("ALTER TABLE away RENAME TO jobs").await;
    assert_eq!(
        cron.look().await.unwrap(),
        1,
        "the tick was not claimed without its job"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn old_ticks_are_removed_but_not_the_last() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let clock = Arc::new(ManualClock::at(noon()));
    db.sql(
        "INSERT INTO cron_ticks SELECT 'daily', '2026-11-21T00:00Z'::timestamptz - n * interval '1 day', 'x', now()
             FROM generate_series(0, 29) n;
         INSERT INTO cron_ticks VALUES ('yearly', '2026-01-01T00:00Z', 'x', now()), ('yearly', '2025-01-01T00:00Z', 'x', now())",
    )
    .await;
    let cron = replica(&pool, &clock, &wakes(), &schedule("0 * * * * *", Missed::Skip));
    assert_eq!(cron.prune().await.unwrap(), 24);
    assert_eq!(
        count(&pool, "SELECT count(*) AS n FROM cron_ticks WHERE schedule = 'daily'").await,
        7
    );
    assert_eq!(
        count(&pool, "SELECT count(*) AS n FROM cron_ticks WHERE schedule = 'yearly'").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn three_running_replicas_fire_by_the_clock_of_the_machine() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let stop = CancellationToken::new();
    let wakes = wakes();
    let running: Vec<_> = (0..3)
        .map(|_| {
            let schedules = vec![schedule("* * * * * *", Missed::Skip)];
            let cron = Cron::new(
                pool.clone(),
                Arc::new(SystemClock),
                wakes.clone(),
                "r".into(),
                schedules,
            );
            tokio::spawn(cron.run(stop.clone()))
        })
        .collect();
    until("three ticks are fired", || async { asked(&pool).await >= 3 }).await;
    stop.cancel();
    for replica in running {
        tokio::time::timeout(Duration::from_secs(10), replica)
            .await
            .expect("it stops")
            .unwrap();
    }
    let ticks = count(&pool, "SELECT count(*) AS n FROM cron_ticks").await;
    assert_eq!(asked(&pool).await, ticks, "one request for each tick");
}
