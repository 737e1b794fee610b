//! What operators do with jobs, and the figures they see.

use chrono::{DateTime, Utc};
use switchyard_jobs::operate::{JobFilter, JobRow, Place, Standing, count, drop_in_tx, list, redrive_in_tx};
use switchyard_jobs::{JobKind, begin, bury, queue_figures};
use testkit::{Role, TestDb};

use crate::{KIND, ask, now, row, seconds, start};

/// `n` dead jobs, two of each time of death; every third with another code.
async fn dead(db: &TestDb, n: i64, t: DateTime<Utc>) {
    for i in 0..n {
        let id = format!("o{i}");
        ask(db, &id, t, t).await;
        let job = start(db, &id, t).await;
        let code = if i % 3 == 0 { "third" } else { "bad" };
        bury(&db.pool(Role::Worker), &job, code, "why", t + seconds(i / 2))
            .await
            .unwrap();
    }
}

fn standing(standing: Standing) -> JobFilter {
    JobFilter {
        standing: Some(standing),
        ..JobFilter::default()
    }
}

fn ids(rows: &[JobRow]) -> Vec<&str> {
    rows.iter().map(|row| row.object_id.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_the_list_hold_each_job_once_the_oldest_first() {
    let db = TestDb::new().await;
    let t = now();
    dead(&db, 7, t).await;
    ask(&db, "due", t, t).await;
    let mut conn = db::acquire(&db.pool(Role::Api)).await.unwrap();
    let (filter, mut after, mut seen) = (standing(Standing::Dead), None::<Place>, Vec::new());
    loop {
        let page = list(&mut conn, &filter, after.as_ref(), 3, t).await.unwrap();
        let Some(last) = page.last() else { break };
        // as a client hands it back
        after = Some(last.place().to_string().parse().unwrap());
        seen.extend(page.into_iter().map(|job| job.object_id));
    }
    assert_eq!(seen, ["o0", "o1", "o2", "o3", "o4", "o5", "o6"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_takes_what_fits_all_of_it() {
    let db = TestDb::new().await;
    let t = now();
    dead(&db, 4, t).await;
    let mut conn = db::acquire(&db.pool(Role::Api)).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (
            JobFilter {
                code: text("third"),
                ..JobFilter::default()
            },
            vec!["o0", "o3"],
        ),
        (
            JobFilter {
                object_id: text("o2"),
                ..JobFilter::default()
            },
            vec!["o2"],
        ),
        (
            JobFilter {
                kind: text(KIND.word()),
                code: text("bad"),
                ..JobFilter::default()
            },
            vec!["o1", "o2"],
        ),
        (
            JobFilter {
                kind: text(JobKind::WalletsSync.word()),
                ..JobFilter::default()
            },
            vec![],
        ),
        (
            JobFilter {
                queue: text("chain"),
                ..JobFilter::default()
            },
            vec![],
        ),
        (
            JobFilter {
                overdue: true,
                ..JobFilter::default()
            },
            vec![],
        ),
    ];
    for (filter, expected) in cases {
        let found = list(&mut conn, &filter, None, 10, t).await.unwrap();
        assert_eq!(ids(&found), expected, "{filter:?}");
        let counted = count(&mut conn, &filter, t).await.unwrap();
        assert_eq!(counted, i64::try_from(expected.len()).unwrap(), "{filter:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_job_stands_somewhere_and_what_takes_too_long_is_overdue() {
    let db = TestDb::new().await;
    let t = now();
    dead(&db, 1, t).await;
    ask(&db, "fresh", t, t).await;
    ask(&db, "waiting", t - seconds(61), t).await;
    ask(&db, "later", t + seconds(30), t).await;
    ask(&db, "running", t, t).await;
    start(&db, "running", t).await;
    ask(&db, "lost", t, t).await;
    let long_ago = t - KIND.policy().lease() - seconds(1);
    begin(&db.pool(Role::Worker), KIND, "lost", t).await.unwrap();
    db.sql(&format!(
        "UPDATE jobs SET started_at = '{}' WHERE object_id = 'lost'",
        long_ago.to_rfc3339()
    ))
    .await;
    let mut conn = db::acquire(&db.pool(Role::Api)).await.unwrap();
    let rows = list(&mut conn, &JobFilter::default(), None, 10, t).await.unwrap();
    let mut stand: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{} {}{}",
                row.object_id,
                row.standing,
                if row.overdue { " overdue" } else { "" }
            )
        })
        .collect();
    stand.sort();
    assert_eq!(
        stand,
        [
            "fresh due",
            "later later",
            "lost running overdue",
            "o0 dead",
            "running running",
            "waiting due overdue"
        ]
    );
    let overdue = JobFilter {
        overdue: true,
        ..JobFilter::default()
    };
    assert_eq!(
        ids(&list(&mut conn, &overdue, None, 10, t).await.unwrap()),
        ["waiting", "lost"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_and_later_jobs_are_redriven_and_others_left_alone() {
    let db = TestDb::new().await;
    let t = now();
    dead(&db, 5, t - seconds(60)).await;
    ask(&db, "due", t, t).await;
    ask(&db, "later", t + seconds(30), t).await;
    let mut conn = db::acquire(&db.pool(Role::Api)).await.unwrap();
    let filter = standing(Standing::Dead);
    let first = redrive_in_tx(&mut conn, &filter, 2, t).await.unwrap();
    let mut taken = ids(&first);
    taken.sort_unstable();
    assert_eq!(taken, ["o0", "o1"], "the oldest, and no more than asked for");
    let was = &first[0];
    assert_eq!(
        (was.standing, was.runs, was.last_error.as_deref()),
        (Standing::Dead, 1, Some("why"))
    );
    assert_eq!(row(&db, "o0").await, "due request 0 runs 0 third");
    assert_eq!(start(&db, "o0", t).await.runs, 1, "with a fresh set of runs");
    assert_eq!(redrive_in_tx(&mut conn, &filter, 10, t).await.unwrap().len(), 3);
    assert!(
        redrive_in_tx(&mut conn, &filter, 10, t).await.unwrap().is_empty(),
        "none is dead any more"
    );

    let all = redrive_in_tx(&mut conn, &JobFilter::default(), 10, t).await.unwrap();
    assert_eq!(ids(&all), ["later"]);
    assert_eq!(start(&db, "later", t).await.runs, 1);
    assert_eq!(row(&db, "due").await, "due request 0 runs 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_dead_jobs_are_dropped() {
    let db = TestDb::new().await;
    let t = now();
    dead(&db, 3, t).await;
    ask(&db, "due", t, t).await;
    ask(&db, "later", t + seconds(30), t).await;
    ask(&db, "running", t, t).await;
    start(&db, "running", t).await;
    let mut conn = db::acquire(&db.pool(Role::Api)).await.unwrap();
    let one = JobFilter {
        object_id: Some("o1".into()),
        ..JobFilter::default()
    };
    assert_eq!(ids(&drop_in_tx(&mut conn, &one, 10, t).await.unwrap()), ["o1"]);
    assert_eq!(row(&db, "o1").await, "gone");
    assert!(drop_in_tx(&mut conn, &one, 10, t).await.unwrap().is_empty());
    assert_eq!(
        drop_in_tx(&mut conn, &JobFilter::default(), 10, t).await.unwrap().len(),
        2
    );
    for left in ["due", "later", "running"] {
        assert_ne!(row(&db, left).await, "gone", "{left}");
    }
}

#[test]
fn a_place_is_read_back_and_anything_else_is_none() {
    let place = Place {
        since: DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap(),
        kind: "orders.delegate".into(),
        object_id: "a,b".into(),
    };
    assert_eq!(place.to_string().parse(), Ok(place));
    for bad in [
        "",
        "1",
        "1,k",
        "x,k,o",
        "99999999999999999999,k,o",
        // a time that PostgreSQL cannot hold
        "-8200000000000000000,k,o",
    ] {
        assert!(bad.parse::<Place>().is_err(), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_count_each_job_in_one_place_and_know_every_kind() {
    let db = TestDb::new().await;
    let t = now();
    dead(&db, 2, t).await;
    ask(&db, "running", t, t).await;
    start(&db, "running", t).await;
    ask(&db, "due", t - seconds(30), t).await;
    ask(&db, "later", t + seconds(30), t).await;
    db.sql("INSERT INTO jobs (kind, object_id, queue, next_run_at, created_at) VALUES ('old.kind', 'x', 'old', now(), now())")
        .await;
    let mut conn = db::acquire(&db.pool(Role::Api)).await.unwrap();
    let figures = queue_figures(&mut conn, t).await.unwrap();
    let of = |kind: &str| figures.iter().find(|row| row.kind == kind).unwrap();
    let orders = of(KIND.word());
    assert_eq!(orders.queue, "orders");
    assert_eq!((orders.due, orders.running, orders.later, orders.dead), (1, 1, 1, 2));
    assert!((29.0..31.0).contains(&orders.oldest_due_seconds), "{orders:?}");
    assert_eq!(of("old.kind").queue, "old");
    assert_eq!(figures.len(), JobKind::ALL.len() + 1, "each kind once");
    let idle = of(JobKind::WalletsSync.word());
    assert_eq!((idle.due, idle.running, idle.later, idle.dead), (0, 0, 0, 0));
    assert!(idle.oldest_due_seconds.abs() < f64::EPSILON);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_run_is_lost_is_due_since_its_lease_was_over() {
    let db = TestDb::new().await;
    let t = now();
    ask(&db, "lost", t - seconds(600), t - seconds(600)).await;
    start(&db, "lost", t).await;
    let mut conn = db::acquire(&db.pool(Role::Api)).await.unwrap();
    let lease = KIND.policy().lease();
    for (at, due_for) in [
        (t + lease - seconds(1), 0.0..0.1),
        (t + lease + seconds(90), 89.0..91.0),
    ] {
        let figures = queue_figures(&mut conn, at).await.unwrap();
        let orders = figures.iter().find(|row| row.kind == KIND.word()).unwrap();
        assert!(due_for.contains(&orders.oldest_due_seconds), "{orders:?}");
        assert_eq!((orders.due, orders.running), (0, 1), "nobody has ended it");
    }
}
