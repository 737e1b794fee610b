//! What a handler answers and what becomes of its job, with everything in good health.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use apalis::prelude::{TaskBuilder, TaskId};
use futures::FutureExt;
use jobs::operate::{self, JobFilter, Standing};
use jobs::{Queue, Wake};
use kernel::{Clock, SystemClock};
use redis::AsyncTypedCommands;
use switchyard_worker::queue::Outcome;

use crate::queue_support::{KIND, Rig, does, shared_redis, until};

fn counter() -> (Arc<AtomicU32>, Arc<AtomicU32>) {
    (Arc::default(), Arc::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_job_is_done_and_so_is_one_that_nobody_pushed() {
    let rig = Rig::new(shared_redis()).await;
    let done = Arc::new(Mutex::new(Vec::new()));
    let seen = done.clone();
    let (workers, stop) = rig.start(
        4,
        does(move |job| {
            seen.lock().unwrap().push(job.object_id);
            async { Outcome::Done }.boxed()
        }),
    );
    let wake = rig.ask("pushed").await;
    rig.wakes.push([wake]);
    rig.ask("forgotten").await;
    until("both are done", || async { rig.rows("true").await == 0 }).await;
    let mut done = done.lock().unwrap().clone();
    done.sort();
    assert_eq!(done, ["forgotten", "pushed"]);
    assert!(
        workers.liveness().silent().is_empty(),
        "{:?}",
        workers.liveness().ages()
    );
    stop.cancel();
    workers.join().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_job_pushed_ten_times_to_two_workers_runs_once() {
    let rig = Rig::new(shared_redis()).await;
    let (runs, begun) = counter();
    let handler = || {
        let (runs, begun) = (runs.clone(), begun.clone());
        does(move |_| {
            let runs = runs.clone();
            begun.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::time::sleep(Duration::from_millis(500)).await;
                runs.fetch_add(1, Ordering::SeqCst);
                Outcome::Done
            }
            .boxed()
        })
    };
    let (one, two) = (rig.start(8, handler()), rig.start(8, handler()));
    let wake = rig.ask("o").await;
    rig.wakes.push((0..10).map(|generation| Wake {
        generation,
        ..wake.clone()
    }));
    until("it is done", || async { rig.rows("true").await == 0 }).await;
    until("every wake-up is answered", || async {
        matches!(rig.wakes.depth(Queue::Orders).await, Ok(0))
    })
    .await;
    assert_eq!((begun.load(Ordering::SeqCst), runs.load(Ordering::SeqCst)), (1, 1));
    one.1.cancel();
    two.1.cancel();
    one.0.join().await;
    two.0.join().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_is_tried_again_after_the_pause_of_its_policy() {
    let rig = Rig::new(shared_redis()).await;
    let starts = Arc::new(Mutex::new(Vec::new()));
    let seen = starts.clone();
    let (_workers, stop) = rig.start(
        4,
        does(move |job| {
            seen.lock().unwrap().push((job.runs, job.started_at));
            async move {
                if job.runs < 3 {
                    return Outcome::Retry {
                        code: "node_away",
                        message: "no route".into(),
                    };
                }
                Outcome::Done
            }
            .boxed()
        }),
    );
    let wake = rig.ask("o").await;
    rig.wakes.push([wake]);
    until("it is done", || async { rig.rows("true").await == 0 }).await;
    let starts = starts.lock().unwrap().clone();
    assert_eq!(starts.iter().map(|start| start.0).collect::<Vec<_>>(), [1, 2, 3]);
    for pair in starts.windows(2) {
        let pause = jobs::backoff_for(KIND, "o", pair[0].0);
        let waited = (pair[1].1 - pair[0].1).to_std().unwrap();
        assert!(waited >= pause, "{waited:?} is shorter than {pause:?}");
        assert!(
            waited < pause + Duration::from_secs(8),
            "{waited:?} is much longer than {pause:?}"
        );
    }
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_panics_stops_at_its_last_run_and_others_go_on() {
    let rig = Rig::new(shared_redis()).await;
    let repaired = Arc::new(AtomicU32::new(0));
    let switch = repaired.clone();
    let (workers, stop) = rig.start(
        2,
        does(move |job| {
            let broken = job.object_id == "poison" && switch.load(Ordering::SeqCst) == 0;
            async move {
                assert!(!broken, "boom");
                Outcome::Done
            }
            .boxed()
        }),
    );
    rig.ask("poison").await;
    until("it is dead", || async {
        rig.db
            .sql("UPDATE jobs SET next_run_at = now() WHERE state = 'due' AND started_at IS NULL")
            .await;
        rig.rows("state = 'dead'").await == 1
    })
    .await;
    rig.ask("good").await;
    until("the good one is done", || async {
        rig.rows("object_id = 'good'").await == 0
    })
    .await;
    let mut conn = db::acquire(&rig.api).await.unwrap();
    let filter = JobFilter {
        standing: Some(Standing::Dead),
        ..JobFilter::default()
    };
    let now = SystemClock.now();
    let dead = operate::list(&mut conn, &filter, None, 10, now).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(u32::try_from(dead[0].runs).unwrap(), KIND.policy().max_runs);
    assert_eq!(
        (dead[0].last_error_code.as_deref(), dead[0].last_error.as_deref()),
        (Some("panic"), Some("boom"))
    );
    repaired.store(1, Ordering::SeqCst);
    let redriven = operate::redrive_in_tx(&mut conn, &filter, 10, now).await.unwrap();
    assert_eq!(redriven.len(), 1);
    until("it is done after all", || async { rig.rows("true").await == 0 }).await;
    stop.cancel();
    workers.join().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_that_outlasts_all_runs_kills_no_job() {
    let rig = Rig::new(shared_redis()).await;
    let runs = Arc::new(AtomicU32::new(0));
    let (seen, outlasts) = (runs.clone(), KIND.policy().max_runs + 5);
    let (workers, stop) = rig.start(
        4,
        does(move |_| {
            let run = seen.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                if run > outlasts {
                    return Outcome::Done;
                }
                let error = db::DbError::Pool("nobody answers".into());
                Outcome::of_error(error.class(), "database", &error)
            }
            .boxed()
        }),
    );
    rig.ask("o").await;
    until("it is done", || async {
        rig.db
            .sql("UPDATE jobs SET next_run_at = now() WHERE state = 'due' AND started_at IS NULL")
            .await;
        assert_eq!(
            rig.rows("state = 'dead'").await,
            0,
            "an outage is no failure of the job"
        );
        rig.rows("true").await == 0
    })
    .await;
    assert_eq!(runs.load(Ordering::SeqCst), outlasts + 1);
    stop.cancel();
    workers.join().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_succeed_is_buried_and_what_waits_is_looked_at_again() {
    let rig = Rig::new(shared_redis()).await;
    let (_workers, stop) = rig.start(
        4,
        does(|job| {
            async move {
                match (job.object_id.as_str(), job.runs) {
                    ("fails", _) => Outcome::Fail {
                        code: "not_a_wallet",
                        message: "it is a contract".into(),
                    },
                    (_, 1) => Outcome::Again {
                        at: job.started_at + chrono::TimeDelta::seconds(3600),
                        code: "no_stock",
                    },
                    _ => Outcome::Done,
                }
            }
            .boxed()
        }),
    );
    let wakes = [rig.ask("fails").await, rig.ask("waits").await];
    rig.wakes.push(wakes);
    until("one is dead", || async {
        rig.rows("state = 'dead' AND last_error_code = 'not_a_wallet'").await == 1
    })
    .await;
    until("one waits", || async {
        rig.rows("state = 'due' AND runs = 0 AND started_at IS NULL AND next_run_at > now() + interval '50 min'")
            .await
            == 1
    })
    .await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_during_the_run_makes_another_run() {
    let rig = Arc::new(Rig::new(shared_redis()).await);
    let runs = Arc::new(AtomicU32::new(0));
    let (inner, counted) = (Arc::downgrade(&rig), runs.clone());
    let (_workers, stop) = rig.start(
        4,
        does(move |job| {
            let (rig, first) = (inner.upgrade(), counted.fetch_add(1, Ordering::SeqCst) == 0);
            async move {
                if let Some(rig) = rig.filter(|_| first) {
                    let wake = rig.ask(&job.object_id).await;
                    rig.wakes.push([wake]);
                }
                Outcome::Done
            }
            .boxed()
        }),
    );
    let wake = rig.ask("o").await;
    rig.wakes.push([wake]);
    until("it is done", || async { rig.rows("true").await == 0 }).await;
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_wake_up_kill_nobody() {
    let rig = Rig::new(shared_redis()).await;
    let apalis = rig.wakes.config().apalis(Queue::Orders);
    let mut conn = rig.redis().await;
    for (id, bytes) in [
        ("g1", &b"\xff\x00"[..]),
        ("g2", b""),
        ("g3", b"{\"v\":9}"),
        ("g4", b"[[[["),
    ] {
        let task = TaskBuilder::new(bytes.to_vec())
            .task_id(TaskId::from_string(id))
            .build();
        apalis_redis::queries::push_tasks(&mut conn, &apalis, &[task])
            .await
            .unwrap();
    }
    let (workers, stop) = rig.start(1, does(|_| async { Outcome::Done }.boxed()));
    rig.ask("good").await;
    until("the good one is done", || async { rig.rows("true").await == 0 }).await;
    until("the others are dead", || async {
        conn.clone().scard(apalis.dead_jobs_set()).await.unwrap() == 4
    })
    .await;
    let names: Vec<String> = conn.zrange(apalis.workers_set(), 0, -1).await.unwrap();
    assert_eq!(names.len(), 1);
    assert!(
        names[0].ends_with("-orders-0"),
        "the first worker still lives: {names:?}"
    );
    stop.cancel();
    workers.join().await;
    assert_eq!(
        conn.zcard(apalis.workers_set()).await.unwrap(),
        0,
        "it leaves no name behind"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_starts_within_milliseconds() {
    let rig = Rig::new(shared_redis()).await;
    let started = Arc::new(Mutex::new(None));
    let seen = started.clone();
    let (_workers, stop) = rig.start(
        4,
        does(move |_| {
            *seen.lock().unwrap() = Some(Instant::now());
            async { Outcome::Done }.boxed()
        }),
    );
    let mut delays = Vec::new();
    for n in 0..60 {
        let wake = rig.ask(&format!("o{n}")).await;
        // each push meets a worker that has gone idle, at another moment of its interval
        tokio::time::sleep(Duration::from_millis(37)).await;
        let pushed = Instant::now();
        rig.wakes.push([wake]);
        until("it is done", || async { rig.rows("true").await == 0 }).await;
        let start = started.lock().unwrap().take().unwrap();
        delays.push(start.saturating_duration_since(pushed));
    }
    delays.sort();
    println!(
        "push to start, idle: p50 {:?}, p90 {:?}, max {:?}",
        delays[30], delays[54], delays[59]
    );
    assert!(delays[30] < Duration::from_millis(250), "{delays:?}");
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_worker_ends_what_it_began_and_leaves_the_rest_to_others() {
    let rig = Rig::new(shared_redis()).await;
    let (begun, ended) = counter();
    let (b, e) = (begun.clone(), ended.clone());
    let slow = does(move |_| {
        let ended = e.clone();
        b.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::time::sleep(Duration::from_millis(700)).await;
            ended.fetch_add(1, Ordering::SeqCst);
            Outcome::Done
        }
        .boxed()
    });
    rig.backlog(20).await;
    let (workers, stop) = rig.start(4, slow);
    until("some run", || async { begun.load(Ordering::SeqCst) >= 4 }).await;
    stop.cancel();
    workers.join().await;
    assert_eq!(
        begun.load(Ordering::SeqCst),
        ended.load(Ordering::SeqCst),
        "nothing is cut off"
    );
    assert!(ended.load(Ordering::SeqCst) < 20, "it stopped fetching");
    assert_eq!(
        rig.rows("started_at IS NOT NULL").await,
        0,
        "and wrote down how each ended"
    );
    let (_next, stop) = rig.start(8, does(|_| async { Outcome::Done }.boxed()));
    until("the next worker does the rest", || async {
        rig.rows("true").await == 0
    })
    .await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_nothing_of_what_is_done() {
    let rig = Rig::new(shared_redis()).await;
    rig.backlog(700).await;
    let (_workers, stop) = rig.start(16, does(|_| async { Outcome::Done }.boxed()));
    until("all are done", || async { rig.rows("true").await == 0 }).await;
    let apalis = rig.wakes.config().apalis(Queue::Orders);
    let conn = rig.redis().await;
    until("all is removed", || async {
        let mut conn = conn.clone();
        let (data, done) = (
            conn.hlen(apalis.job_data_hash()).await,
            conn.scard(apalis.done_jobs_set()).await,
        );
        let metas = conn.keys(format!("{}:*", apalis.job_meta_hash())).await;
        data.unwrap() + done.unwrap() + metas.unwrap().len() == 0
    })
    .await;
    stop.cancel();
}
