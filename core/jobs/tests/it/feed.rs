//! What the dispatcher takes, and what it leaves alone.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use switchyard_jobs::{Feed, Queue, begin, bury_never_finished, complete, retry, take_due};
use testkit::{Role, TestDb};

use crate::{KIND, ask, now, row, seconds, start};

/// The ids that a dispatcher takes at `now`, with pushes lost after 15 seconds.
async fn taken(db: &TestDb, now: DateTime<Utc>) -> Vec<String> {
    let mut conn = db::acquire(&db.pool(Role::Worker)).await.unwrap();
    let feed = Feed {
        queue: Queue::Orders,
        now,
        lost_before: now - seconds(15),
        limit: 100,
    };
    let mut ids: Vec<_> = take_due(&mut conn, feed)
        .await
        .unwrap()
        .into_iter()
        .map(|wake| wake.object_id)
        .collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_due_and_on_nobodys_mind_is_taken() {
    let db = TestDb::new().await;
    let t = now();
    ask(&db, "pushed", t, t).await;
    ask(&db, "later", t + seconds(10), t).await;
    assert!(
        taken(&db, t + seconds(9)).await.is_empty(),
        "one is pushed, the other not due"
    );
    assert_eq!(taken(&db, t + seconds(11)).await, ["later"]);
    assert!(taken(&db, t + seconds(12)).await.is_empty(), "taken once");
    assert_eq!(taken(&db, t + seconds(16)).await, ["pushed"], "the first push is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_left_alone_until_its_lease_is_over() {
    let db = TestDb::new().await;
    let t = now();
    ask(&db, "o", t, t).await;
    start(&db, "o", t).await;
    let end = t + KIND.policy().lease();
    assert!(taken(&db, end - seconds(1)).await.is_empty());
    assert_eq!(taken(&db, end + seconds(1)).await, ["o"]);
    assert!(taken(&db, end + seconds(2)).await.is_empty(), "not with each look");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_taken_at_its_time_and_a_request_during_the_run_at_once() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let t = now();
    ask(&db, "failed", t, t).await;
    let job = start(&db, "failed", t).await;
    retry(&pool, &job, t + seconds(4), "x", "y").await.unwrap();
    ask(&db, "again", t, t).await;
    let job = start(&db, "again", t).await;
    ask(&db, "again", t, t).await;
    complete(&pool, &job).await.unwrap();
    assert_eq!(taken(&db, t + seconds(1)).await, ["again"]);
    assert_eq!(taken(&db, t + seconds(4)).await, ["failed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_its_process_is_buried_when_its_runs_are_used_up() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let mut t = now();
    ask(&db, "poison", t, t).await;
    for _ in 0..KIND.policy().max_runs {
        let mut conn = db::acquire(&pool).await.unwrap();
        assert_eq!(
            bury_never_finished(&mut conn, Queue::Orders, t).await.unwrap(),
            0,
            "the last run may still end"
        );
        start(&db, "poison", t).await;
        t += KIND.policy().lease() + seconds(1);
    }
    assert!(
        begin(&pool, KIND, "poison", t).await.unwrap().is_none(),
        "no run is left"
    );
    assert!(taken(&db, t).await.is_empty(), "and no push");
    let mut conn = db::acquire(&pool).await.unwrap();
    assert_eq!(bury_never_finished(&mut conn, Queue::Orders, t).await.unwrap(), 1);
    assert_eq!(row(&db, "poison").await, "dead request 0 runs 25 never_finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_dispatchers_take_different_jobs() {
    let db = TestDb::new().await;
    db.sql(
        "INSERT INTO jobs (kind, object_id, queue, next_run_at, created_at)
         SELECT 'orders.delegate', n, 'orders', now() - interval '1 s', now() FROM generate_series(1, 300) n",
    )
    .await;
    let t = now();
    let taken = futures::future::join_all((0..8).map(|_| taken(&db, t))).await;
    let all: Vec<_> = taken.into_iter().flatten().collect();
    assert_eq!(all.len(), all.iter().collect::<BTreeSet<_>>().len(), "no job twice");
    assert!(all.len() >= 100);
}
