//! What is lost when Redis is wiped, killed or cut off, or a process dies: seconds, and nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apalis::prelude::{TaskBuilder, TaskId};
use futures::FutureExt;
use jobs::{Queue, Wake, WakeConfig};
use kernel::{Clock, SystemClock};
use redis::AsyncTypedCommands;
use switchyard_worker::queue::{Handler, Outcome};
use testkit::Proxy;

use crate::queue_support::{KIND, OwnRedis, Rig, count, does, shared_redis, until};

type Ends = Arc<Mutex<BTreeMap<String, u32>>>;

/// A handler that takes a little while and counts how often each job came to its end.
fn counting(ends: &Ends) -> impl Handler {
    let ends = ends.clone();
    does(move |job| {
        let ends = ends.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(30)).await;
            *ends.lock().unwrap().entry(job.object_id).or_default() += 1;
            Outcome::Done
        }
        .boxed()
    })
}

fn task(wake: &Wake) -> apalis_redis::RedisTask {
    TaskBuilder::new(wake.encode().unwrap())
        .task_id(TaskId::from_string(wake.task_id()))
        .build()
}

fn ended(ends: &Ends) -> usize {
    ends.lock().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn wiping_redis_in_the_middle_loses_no_job() {
    let redis = OwnRedis::up().await;
    let rig = Rig::new(redis.config()).await;
    let ends = Ends::default();
    rig.backlog(500).await;
    let (_one, stop_one) = rig.start(8, counting(&ends));
    let (_two, stop_two) = rig.start(8, counting(&ends));
    for at in [100, 250, 400] {
        until("some are done", || async { ended(&ends) >= at }).await;
        redis.say(&["FLUSHALL"]).await.unwrap();
    }
    until("all are done", || async { rig.rows("true").await == 0 }).await;
    assert_eq!(ended(&ends), 500);
    assert!(ends.lock().unwrap().values().all(|n| *n == 1), "no job ran twice");
    stop_one.cancel();
    stop_two.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_and_a_restarted_redis_lose_no_job() {
    let mut redis = OwnRedis::up().await;
    let rig = Rig::new(redis.config()).await;
    let ends = Ends::default();
    rig.backlog(500).await;
    let (workers, stop) = rig.start(8, counting(&ends));
    for at in [50, 100, 150] {
        until("some are done", || async { ended(&ends) >= at }).await;
        for kind in ["normal", "pubsub"] {
            redis.say(&["CLIENT", "KILL", "TYPE", kind]).await.unwrap();
        }
    }
    until("some are done", || async { ended(&ends) >= 250 }).await;
    redis.kill();
    tokio::time::sleep(Duration::from_secs(2)).await;
    redis.start().await;
    until("all are done", || async { rig.rows("true").await == 0 }).await;
    assert_eq!(ended(&ends), 500);
    assert!(ends.lock().unwrap().values().all(|n| *n == 1), "no job ran twice");
    stop.cancel();
    workers.join().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_that_leaves_old_connections_open_stops_no_job() {
    let (old, new) = (OwnRedis::up().await, OwnRedis::up().await);
    let proxy = Proxy::to(old.address()).await;
    let config = WakeConfig::new(format!("redis://127.0.0.1:{}", proxy.port()), "test");
    let rig = Rig::new(config).await;
    let ends = Ends::default();
    let (workers, stop) = rig.start(4, counting(&ends));
    let wake = rig.ask("before").await;
    rig.wakes.push([wake]);
    until("it is done", || async { rig.rows("true").await == 0 }).await;
    // who is connected goes on hearing the old primary, which answers questions and refuses what would write
    proxy.lead_to(new.address());
    old.say(&["REPLICAOF", "127.0.0.1", "1"]).await.unwrap();
    for n in 0..3 {
        let wake = rig.ask(&format!("after{n}")).await;
        rig.wakes.push([wake]);
    }
    until("what came after is done", || async { rig.rows("true").await == 0 }).await;
    assert_eq!(ended(&ends), 4);
    assert!(ends.lock().unwrap().values().all(|n| *n == 1), "no job ran twice");
    let apalis = rig.wakes.config().apalis(Queue::Orders);
    until("the cleaner is there, too", || async {
        rig.redis().await.scard(apalis.done_jobs_set()).await.unwrap() == 0
    })
    .await;
    stop.cancel();
    workers.join().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_starts_before_redis_waits_for_it() {
    let mut redis = OwnRedis::down();
    let rig = Rig::new(redis.config()).await;
    let ends = Ends::default();
    let (_workers, stop) = rig.start(4, counting(&ends));
    let wake = rig.ask("o").await;
    rig.wakes.push([wake]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ended(&ends), 0);
    redis.start().await;
    until("it is done", || async { rig.rows("true").await == 0 }).await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_stops_in_time_while_redis_is_away() {
    let redis = OwnRedis::down();
    let rig = Rig::new(redis.config()).await;
    let (workers, stop) = rig.start(4, counting(&Ends::default()));
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(15), workers.join())
        .await
        .expect("it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_a_dead_process_is_done_by_another() {
    let rig = Rig::new(shared_redis()).await;
    rig.ask("o").await;
    let crashed_at = SystemClock.now() - KIND.policy().lease() + chrono::TimeDelta::seconds(2);
    rig.db
        .sql("UPDATE jobs SET next_run_at = next_run_at - interval '1 hour'")
        .await;
    jobs::begin(&rig.worker, KIND, "o", crashed_at)
        .await
        .unwrap()
        .expect("it begins, and its process dies");
    let ends = Ends::default();
    let (_workers, stop) = rig.start(4, counting(&ends));
    until("it is done", || async { rig.rows("true").await == 0 }).await;
    assert!(
        SystemClock.now() > crashed_at + KIND.policy().lease(),
        "not before the lease is over"
    );
    assert_eq!(ends.lock().unwrap().get("o"), Some(&1));
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_of_twenty_thousand_is_worked_off_and_kills_no_worker() {
    let rig = Rig::new(shared_redis()).await;
    rig.backlog(20_000).await;
    let (_workers, stop) = rig.start(32, does(|_| async { Outcome::Done }.boxed()));
    let apalis = rig.wakes.config().apalis(Queue::Orders);
    let started = std::time::Instant::now();
    let (mut deepest, mut least) = (0, i64::MAX);
    let mut moved = started;
    loop {
        let left = rig.rows("true").await;
        if left < least {
            (least, moved) = (left, std::time::Instant::now());
        }
        let depth = rig.wakes.depth(Queue::Orders).await.unwrap_or_default();
        deepest = depth.max(deepest);
        if left == 0 {
            println!("20,000 jobs in {:?}, at most {deepest} in Redis", started.elapsed());
            assert!(deepest < 8000);
            let workers: Vec<String> = rig.redis().await.zrange(apalis.workers_set(), 0, -1).await.unwrap();
            assert!(
                !workers.is_empty() && workers.iter().all(|name| name.ends_with("-0")),
                "replaced: {workers:?}"
            );
            break;
        }
        assert!(
            moved.elapsed() < Duration::from_secs(30),
            "{left} are left, and nothing moves"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_others_filled_beyond_the_limit_is_freed() {
    let mut config = shared_redis();
    config.max_depth = 100_000;
    let rig = Rig::new(config).await;
    let nothing = |n: u32| Wake {
        kind: KIND,
        object_id: format!("none{n}"),
        generation: 0,
    };
    let tasks: Vec<_> = (0..8600).map(nothing).map(|wake| task(&wake)).collect();
    let apalis = rig.wakes.config().apalis(Queue::Orders);
    let mut conn = rig.redis().await;
    // as others push: scheduled, and never made ready
    for some in tasks.chunks(500) {
        apalis_redis::queries::push_tasks(&mut conn, &apalis, some)
            .await
            .unwrap();
    }
    assert_eq!(conn.zcard(apalis.scheduled_jobs_set()).await.unwrap(), 8600);
    let (_workers, stop) = rig.start(32, counting(&Ends::default()));
    let wake = rig.ask("o").await;
    rig.wakes.push([wake]);
    until("the job behind them is done", || async { rig.rows("true").await == 0 }).await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_database_connections_lose_no_job() {
    let rig = Rig::new(shared_redis()).await;
    let ends = Ends::default();
    rig.backlog(300).await;
    let (_workers, stop) = rig.start(8, counting(&ends));
    for at in [50, 150, 250] {
        until("some are done", || async { ended(&ends) >= at }).await;
        rig.db
            .sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
    }
    until("all came to their end", || async { ended(&ends) == 300 }).await;
    let fresh = rig.db.pool(testkit::Role::Worker);
    until("and are written down as done", || async {
        count(&fresh, "SELECT count(*) AS n FROM jobs").await == 0
    })
    .await;
    stop.cancel();
}
