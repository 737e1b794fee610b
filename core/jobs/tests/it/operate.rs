//! What operators do with dead jobs, and the figures they see.

use switchyard_jobs::{
    DeadFilter, DropRequest, JobKind, bury, drop_with_reason, list_dead, queue_figures, redrive, redrive_all,
};
use testkit::{Role, TestDb};

use crate::{KIND, ask, now, row, seconds, start};

/// `n` dead jobs, two of each time of death.
async fn dead(db: &TestDb, n: i64) {
    let t = now();
    for i in 0..n {
        let id = format!("o{i}");
        ask(db, &id, t, t).await;
        let job = start(db, &id, t).await;
        bury(&db.pool(Role::Worker), &job, "bad", "why", t + seconds(i / 2))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_the_list_hold_each_dead_job_once() {
    let db = TestDb::new().await;
    dead(&db, 7).await;
    let mut conn = db::acquire(&db.pool(Role::Api)).await.unwrap();
    let mut filter = DeadFilter {
        kind: Some(KIND),
        after: None,
        limit: 3,
    };
    let mut seen = Vec::new();
    loop {
        let page = list_dead(&mut conn, &filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some(last.cursor());
        seen.extend(page.into_iter().map(|job| job.object_id));
    }
    assert_eq!(seen, ["o6", "o5", "o4", "o3", "o2", "o1", "o0"]);
    filter = DeadFilter {
        kind: Some(JobKind::WalletsSync),
        after: None,
        limit: 3,
    };
    assert!(list_dead(&mut conn, &filter).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_is_redriven_or_dropped_and_a_live_one_is_not() {
    let db = TestDb::new().await;
    dead(&db, 4).await;
    let t = now();
    ask(&db, "live", t, t).await;
    let mut conn = db::acquire(&db.pool(Role::Api)).await.unwrap();
    assert!(redrive(&mut conn, KIND, "o0", t).await.unwrap());
    assert!(
        !redrive(&mut conn, KIND, "o0", t).await.unwrap(),
        "it is not dead any more"
    );
    assert_eq!(start(&db, "o0", t).await.runs, 1, "with a fresh set of runs");
    let request = |object_id| DropRequest {
        kind: KIND,
        object_id,
        by: "op",
        reason: "refunded by hand",
    };
    assert!(drop_with_reason(&mut conn, request("o1")).await.unwrap());
    assert!(!drop_with_reason(&mut conn, request("o1")).await.unwrap());
    assert!(!drop_with_reason(&mut conn, request("live")).await.unwrap());
    assert_eq!(redrive_all(&mut conn, KIND, t).await.unwrap(), 2);
    assert_eq!(row(&db, "live").await, "due request 0 runs 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_count_each_job_in_one_place() {
    let db = TestDb::new().await;
    let t = now();
    dead(&db, 2).await;
    ask(&db, "running", t, t).await;
    start(&db, "running", t).await;
    ask(&db, "due", t - seconds(30), t).await;
    ask(&db, "later", t + seconds(30), t).await;
    let mut conn = db::acquire(&db.pool(Role::Api)).await.unwrap();
    let figures = queue_figures(&mut conn, t).await.unwrap();
    let [orders] = figures.as_slice() else {
        panic!("{figures:?}")
    };
    assert_eq!(
        (orders.queue.as_str(), orders.kind.as_str()),
        ("orders", "orders.delegate")
    );
    assert_eq!((orders.due, orders.running, orders.later, orders.dead), (1, 1, 1, 2));
    assert!((29.0..31.0).contains(&orders.oldest_due_seconds), "{orders:?}");
}
