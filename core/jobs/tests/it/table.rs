//! One row from the request to its end: what two callers, a late finisher or a crash may do to it.

use switchyard_jobs::{
    Completed, JobKind, JobRequest, Queue, again, begin, bury, bury_never_finished, complete, complete_in_tx,
    enqueue_in_tx, enqueue_many_in_tx, retry, wait_for,
};
use testkit::{Role, TestDb};

use crate::{KIND, ask, now, row, seconds, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_begins_once_at_its_time_and_is_gone_when_done() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let t = now();
    assert!(ask(&db, "o", t + seconds(60), t).await.is_none(), "nothing to push yet");
    assert!(begin(&pool, KIND, "o", t).await.unwrap().is_none(), "too early");
    assert!(begin(&pool, KIND, "nobody", t).await.unwrap().is_none());
    let later = t + seconds(61);
    let job = start(&db, "o", later).await;
    assert_eq!((job.runs, job.request), (1, 0));
    assert!(
        begin(&pool, KIND, "o", later).await.unwrap().is_none(),
        "it runs already"
    );
    assert_eq!(complete(&pool, &job).await.unwrap(), Completed::Ended);
    assert_eq!(row(&db, "o").await, "gone");
    assert_eq!(
        complete(&pool, &job).await.unwrap(),
        Completed::Lost,
        "the second time is nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_that_begin_at_once_one_does() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let t = now();
    ask(&db, "o", t, t).await.unwrap();
    let begun = futures::future::join_all((0..20).map(|_| begin(&pool, KIND, "o", t))).await;
    assert_eq!(
        begun.into_iter().filter(|job| job.as_ref().unwrap().is_some()).count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_during_the_run_keeps_the_row() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let t = now();
    let first = ask(&db, "o", t, t).await.unwrap();
    let job = start(&db, "o", t).await;
    let second = ask(&db, "o", t, t).await.unwrap();
    assert_ne!(first.task_id(), second.task_id(), "the second push is not swallowed");
    assert!(
        begin(&pool, KIND, "o", t).await.unwrap().is_none(),
        "not beside the first run"
    );
    assert_eq!(complete(&pool, &job).await.unwrap(), Completed::RequestedAgain);
    assert_eq!(row(&db, "o").await, "due request 1 runs 0");
    let job = start(&db, "o", t + seconds(1)).await;
    assert_eq!(complete(&pool, &job).await.unwrap(), Completed::Ended);
    let anew = ask(&db, "o", t + seconds(2), t + seconds(2)).await.unwrap();
    assert!(
        ![first.task_id(), second.task_id()].contains(&anew.task_id()),
        "Redis may still know the pushes of the row that is gone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_given_up_cannot_end_the_job_of_another() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let t = now();
    ask(&db, "o", t, t).await;
    let slow = start(&db, "o", t).await;
    let lease = KIND.policy().lease();
    assert!(
        begin(&pool, KIND, "o", t + lease).await.unwrap().is_none(),
        "the lease holds to its end"
    );
    let next = start(&db, "o", t + lease + seconds(1)).await;
    assert_eq!(next.runs, 2, "a crash counts as a run");
    for ended in [
        complete(&pool, &slow).await.unwrap(),
        retry(&pool, &slow, t, "x", "y").await.unwrap(),
        again(&pool, &slow, t, "later").await.unwrap(),
        bury(&pool, &slow, "x", "y", t).await.unwrap(),
    ] {
        assert_eq!(ended, Completed::Lost);
    }
    assert_eq!(row(&db, "o").await, "due request 0 runs 2 running");
    complete(&pool, &next).await.unwrap();
    ask(&db, "o", t, t).await;
    assert_eq!(
        complete(&pool, &next).await.unwrap(),
        Completed::Lost,
        "a new row with the same numbers is not his"
    );
    assert_eq!(row(&db, "o").await, "due request 0 runs 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_completes_in_its_own_transaction_or_not_at_all() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let t = now();
    ask(&db, "o", t, t).await;
    let job = start(&db, "o", t).await;
    let failed = db::run_tx(&pool, "test", async |conn| {
        complete_in_tx(conn, &job).await?;
        Err::<(), _>(db::DbError::Pool("on purpose".into()))
    })
    .await;
    assert!(failed.is_err());
    assert_eq!(row(&db, "o").await, "due request 0 runs 1 running");
    let ended = db::run_tx(&pool, "test", async |conn| complete_in_tx(conn, &job).await)
        .await
        .unwrap();
    assert_eq!(ended, Completed::Ended);
    assert_eq!(row(&db, "o").await, "gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_waits_for_its_time_and_a_request_pulls_it_forward() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let t = now();
    ask(&db, "o", t, t).await;
    let job = start(&db, "o", t).await;
    let long = "ä\0".repeat(5000);
    retry(&pool, &job, t + seconds(30), &long, &long).await.unwrap();
    assert!(begin(&pool, KIND, "o", t + seconds(20)).await.unwrap().is_none());
    ask(&db, "o", t + seconds(10), t).await;
    let job = start(&db, "o", t + seconds(20)).await;
    assert_eq!(job.runs, 2, "a failed run stays counted");
    again(&pool, &job, t + seconds(40), "later").await.unwrap();
    assert!(
        row(&db, "o").await == "due request 1 runs 0 later",
        "a good run clears the count"
    );
    assert!(begin(&pool, KIND, "o", t + seconds(30)).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_outlives_an_outage_of_whatever_length() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let mut t = now();
    ask(&db, "o", t, t).await;
    for _ in 0..2 * KIND.policy().max_runs {
        let job = start(&db, "o", t).await;
        wait_for(&pool, &job, t + seconds(30), "chain_unavailable", "no route")
            .await
            .unwrap();
        t += seconds(30);
        let mut conn = db::acquire(&pool).await.unwrap();
        assert_eq!(bury_never_finished(&mut conn, Queue::Orders, t).await.unwrap(), 0);
    }
    assert_eq!(row(&db, "o").await, "due request 0 runs 6 chain_unavailable");
    let job = start(&db, "o", t).await;
    assert_eq!(complete(&pool, &job).await.unwrap(), Completed::Ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn again_does_not_delay_a_request_that_came_during_the_run() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let t = now();
    ask(&db, "o", t, t).await;
    let job = start(&db, "o", t).await;
    ask(&db, "o", t, t).await;
    again(&pool, &job, t + seconds(3600), "later").await.unwrap();
    start(&db, "o", t + seconds(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_lives_again_when_asked_for() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let t = now();
    ask(&db, "o", t, t).await;
    let job = start(&db, "o", t).await;
    assert_eq!(bury(&pool, &job, "bad_input", "no", t).await.unwrap(), Completed::Ended);
    assert_eq!(row(&db, "o").await, "dead request 0 runs 1 bad_input");
    assert!(
        begin(&pool, KIND, "o", t + seconds(1000)).await.unwrap().is_none(),
        "dead is dead"
    );
    ask(&db, "o", t + seconds(5), t).await;
    assert_eq!(row(&db, "o").await, "due request 1 runs 0 bad_input");
    assert!(
        begin(&pool, KIND, "o", t).await.unwrap().is_none(),
        "the new request says when"
    );
    let job = start(&db, "o", t + seconds(5)).await;
    ask(&db, "o", t, t).await;
    assert_eq!(
        bury(&pool, &job, "bad_input", "no", t).await.unwrap(),
        Completed::RequestedAgain
    );
    assert_eq!(
        row(&db, "o").await,
        "due request 2 runs 0 bad_input",
        "a request during the run is not buried with it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_are_one_row_each_and_callers_do_not_deadlock() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Api);
    let t = now();
    let ids: Vec<String> = (0..50).map(|n| format!("o{n}")).collect();
    let requests: Vec<_> = ids
        .iter()
        .map(|id| JobRequest {
            kind: KIND,
            object_id: id,
            run_at: t,
            now: t,
        })
        .collect();
    let mut backwards = requests.clone();
    backwards.reverse();
    backwards.push(requests[7]);
    let (a, b) = tokio::join!(
        db::run_tx(&pool, "a", async |conn| enqueue_many_in_tx(conn, &requests).await),
        db::run_tx(&pool, "b", async |conn| enqueue_many_in_tx(conn, &backwards).await),
    );
    let wakes: std::collections::BTreeSet<_> = a.unwrap().iter().chain(&b.unwrap()).map(|w| w.task_id()).collect();
    assert_eq!(wakes.len(), 101, "each push has an id of its own");
    assert_eq!(row(&db, "o7").await, "due request 2 runs 0");
    assert_eq!(row(&db, "o8").await, "due request 1 runs 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_with_the_transaction() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Api);
    let t = now();
    for object_id in [String::new(), "x".repeat(101)] {
        let request = JobRequest {
            kind: JobKind::WalletsSync,
            object_id: &object_id,
            run_at: t,
            now: t,
        };
        assert!(
            db::run_tx(&pool, "test", async |conn| enqueue_in_tx(conn, request).await)
                .await
                .is_err()
        );
    }
}
