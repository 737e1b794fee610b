//! The audit trail: carried by transactions, sealed once, and proved against whoever owns the database.

use chrono::{DateTime, Utc};
use db::models::{AuditFilter, SealedNow};
use db::trail::{self, Act, Actor};
use db::{Pool, acquire, run_tx};
use diesel_async::SimpleAsyncConnection as _;
use domain::DomainError;
use domain::audit_trail::{Complaint, Head, Proof, page, prove, seal};
use serde_json::json;
use switchyard_domain as domain;
use testkit::{Role, TestDb};

struct Trail {
    db: TestDb,
    worker: Pool,
}

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 123_456_000).unwrap()
}

fn act(principal: &str) -> Act {
    Act::new(Actor {
        principal: principal.to_owned(),
        name: "名字 \"x\"".to_owned(),
        address: Some("2001:db8::7".to_owned()),
        request_id: Some("r-1".to_owned()),
        action: "create_order".to_owned(),
        target: Some("POST /api/orders".to_owned()),
        at: noon(),
    })
}

impl Trail {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let worker = db.pool(Role::Worker);
        Self { db, worker }
    }

    /// So many sealed lines, odd ones among them.
    async fn with(lines: usize) -> Self {
        let made = Self::new().await;
        made.fill(lines).await;
        assert_eq!(
            seal(&made.worker, noon()).await.unwrap().lines,
            u64::try_from(lines).unwrap()
        );
        made
    }

    async fn fill(&self, lines: usize) {
        let sql = format!(
            "INSERT INTO audit_inbox (at, principal, principal_name, address, request_id, action, target, step, result, \
             asked, changes) SELECT timestamptz '2026-11-26 12:00:00.000001+00' + n * interval '1 millisecond', \
             'api_key:' || n % 7, 'bot ' || n, CASE WHEN n % 2 = 0 THEN '203.0.113.' || n % 250 END, 'r' || n, \
             'create_order', 'POST /api/orders', CASE WHEN n % 3 > 0 THEN 'accept_order' END, 'committed', \
             CASE WHEN n % 5 > 0 THEN json_build_object('energy', 65000 + n, 'label', '中文 ' || n) END, \
             json_build_array(json_build_object('order', n)) FROM generate_series(1, {lines}) AS n"
        );
        self.db.sql(&sql).await;
    }

    /// As somebody who owns the tables.
    async fn tamper(&self, sql: &str) {
        let sql =
            format!("ALTER TABLE audit_trail DISABLE TRIGGER USER; {sql}; ALTER TABLE audit_trail ENABLE TRIGGER USER");
        self.db.sql(&sql).await;
    }

    async fn prove(&self, kept: &[Head]) -> Proof {
        prove(&self.worker, kept, noon()).await.unwrap()
    }

    async fn wrong(&self, kept: &[Head]) -> Vec<Complaint> {
        self.prove(kept).await.complaints
    }
}

#[tokio::test]
async fn a_transaction_carries_its_line_and_one_that_is_rolled_back_does_not() {
    let trail = Trail::new().await;
    let act = act("api_key:1");
    trail::acting(&act, async {
        trail::asked(|| json!({ "text": "a\u{0}b \u{1f600} \\ \"" }));
        let refused = run_tx(&trail.worker, "refused", async |_| {
            trail::changed(|| json!({ "never": true }));
            Err::<(), _>(DomainError::UserBlocked)
        });
        refused.await.unwrap_err();
        let done = run_tx(&trail.worker, "done", async |_| {
            trail::changed(|| json!({ "order": 1 }));
            Ok::<_, DomainError>(())
        });
        done.await.unwrap();
    })
    .await;
    assert_eq!(act.lines(), 1);
    act.tell(&trail.worker, "user_blocked").await.unwrap();
    run_tx(&trail.worker, "a_job", async |_| Ok::<_, DomainError>(()))
        .await
        .unwrap();
    let sealed = seal(&trail.worker, noon()).await.unwrap();
    assert_eq!((sealed.lines, sealed.head.seq), (2, 2));
    let lines = page(&trail.worker, &AuditFilter::default(), None, 10).await.unwrap();
    let shown: Vec<_> = lines
        .iter()
        .map(|line| (line.step.as_deref(), line.result.as_str(), line.changes.clone()))
        .collect();
    assert_eq!(
        shown,
        [
            (None, "user_blocked", json!([])),
            (Some("done"), "committed", json!([{ "order": 1 }])),
        ]
    );
    assert_eq!(lines[1].at, noon());
    let proof = trail.prove(&[]).await;
    assert!(proof.is_clean(), "{proof:?}");
    assert_eq!((proof.lines, proof.waiting, proof.head), (2, 0, sealed.head));
}

#[tokio::test]
async fn what_is_written_meanwhile_is_sealed_once() {
    let trail = Trail::new().await;
    let writers = (0..8).map(|n| {
        let worker = trail.worker.clone();
        async move {
            let act = act(&format!("api_key:{n}"));
            for _ in 0..25 {
                let done = run_tx(&worker, "done", async |_| Ok::<_, DomainError>(()));
                trail::acting(&act, done).await.unwrap();
            }
        }
    });
    let sealers = (0..3).map(|_| {
        let worker = trail.worker.clone();
        async move {
            for _ in 0..20 {
                seal(&worker, noon()).await.unwrap();
            }
        }
    });
    futures::future::join(futures::future::join_all(writers), futures::future::join_all(sealers)).await;
    assert_eq!(seal(&trail.worker, noon()).await.unwrap().head.seq, 200);
    let proof = trail.prove(&[]).await;
    assert!(proof.is_clean(), "{proof:?}");
    assert_eq!((proof.lines, proof.waiting), (200, 0));
}

#[tokio::test]
async fn no_process_may_touch_what_was_written() {
    let trail = Trail::with(3).await;
    trail.fill(1).await;
    for role in [Role::Api, Role::Worker] {
        for sql in [
            "UPDATE audit_trail SET result = 'ok'",
            "DELETE FROM audit_trail",
            "TRUNCATE audit_trail",
            "INSERT INTO audit_trail SELECT 9, 9, at, principal, principal_name, address, request_id, action, target, step, \
             result, asked, changes, hash FROM audit_trail WHERE seq = 1",
            "UPDATE audit_inbox SET result = 'ok'",
            "DELETE FROM audit_inbox",
            "TRUNCATE audit_inbox",
        ] {
            let pool = trail.db.pool(role);
            let mut conn = acquire(&pool).await.unwrap();
            let refused = conn.batch_execute(sql).await;
            assert!(
                refused.unwrap_err().to_string().contains("permission denied"),
                "{role:?}: {sql}"
            );
        }
    }
    let api = trail.db.pool(Role::Api);
    let refused = SealedNow::seal(&mut acquire(&api).await.unwrap(), 10).await;
    assert!(refused.unwrap_err().to_string().contains("permission denied"));
    // not even the owner, as long as the triggers are there
    for sql in [
        "UPDATE audit_trail SET result = 'ok'",
        "DELETE FROM audit_trail",
        "TRUNCATE audit_trail",
        "UPDATE audit_inbox SET result = 'ok'",
        "DELETE FROM audit_inbox",
        "TRUNCATE audit_inbox",
    ] {
        trail.db.try_sql(sql).await.unwrap_err();
    }
    assert_eq!(trail.prove(&[]).await.waiting, 1);
}

#[tokio::test]
async fn one_change_is_one_complaint() {
    for (change, seq) in [
        ("UPDATE audit_trail SET principal = 'api_key:9' WHERE seq = 40", 40),
        (
            "UPDATE audit_trail SET at = at + interval '1 microsecond' WHERE seq = 41",
            41,
        ),
        ("UPDATE audit_trail SET address = '' WHERE seq = 41", 41),
        ("UPDATE audit_trail SET asked = NULL WHERE seq = 1", 1),
        ("UPDATE audit_trail SET changes = '[ ]' WHERE seq = 60", 60),
        // what moves from one field to the next
        (
            "UPDATE audit_trail SET principal = principal || left(principal_name, 1), \
          principal_name = substr(principal_name, 2) WHERE seq = 12",
            12,
        ),
    ] {
        let trail = Trail::with(60).await;
        trail.tamper(change).await;
        assert_eq!(trail.wrong(&[]).await, [Complaint::Changed { seq }], "{change}");
    }
}

#[tokio::test]
async fn what_was_removed_moved_or_put_in_is_found() {
    let trail = Trail::with(60).await;
    trail
        .tamper("DELETE FROM audit_trail WHERE seq IN (1, 20, 21, 22)")
        .await;
    let missing = |from, to| Complaint::Missing { from, to };
    assert_eq!(trail.wrong(&[]).await, [missing(1, 1), missing(20, 22)]);

    let trail = Trail::with(60).await;
    let closed = "DELETE FROM audit_trail WHERE seq = 30; UPDATE audit_trail SET seq = -seq WHERE seq > 30; \
        UPDATE audit_trail SET seq = -seq - 1 WHERE seq < 0";
    trail
        .tamper(&format!(
            "ALTER TABLE audit_trail DROP CONSTRAINT audit_trail_seq_check; {closed}"
        ))
        .await;
    let wrong = trail.wrong(&[]).await;
    assert_eq!(wrong.len(), 30, "{wrong:?}");
    assert_eq!(wrong[0], Complaint::Changed { seq: 30 });

    let trail = Trail::with(60).await;
    let swapped = "UPDATE audit_trail SET seq = 1000 WHERE seq = 7; UPDATE audit_trail SET seq = 7 WHERE seq = 8; \
        UPDATE audit_trail SET seq = 8 WHERE seq = 1000";
    trail.tamper(swapped).await;
    let changed = |seq| Complaint::Changed { seq };
    assert_eq!(trail.wrong(&[]).await, [changed(7), changed(8), changed(9)]);

    let trail = Trail::with(60).await;
    let put_in = "INSERT INTO audit_trail SELECT 61, 1000, at, principal, principal_name, address, request_id, action, \
        target, step, result, asked, changes, hash FROM audit_trail WHERE seq = 60";
    trail.tamper(put_in).await;
    assert_eq!(trail.wrong(&[]).await, [changed(61)]);
}

#[tokio::test]
async fn kept_heads_find_what_was_cut_off_or_written_anew() {
    let trail = Trail::with(60).await;
    let early = seal(&trail.worker, noon()).await.unwrap().head;
    trail.fill(20).await;
    let late = seal(&trail.worker, noon()).await.unwrap().head;
    let kept: Vec<Head> = [&early, &late].map(|head| head.to_string().parse().unwrap()).to_vec();
    assert_eq!(
        kept,
        [early.clone(), late.clone()].map(|head| Head { at: kept[0].at, ..head })
    );
    assert!(trail.prove(&kept).await.is_clean());

    trail.tamper("DELETE FROM audit_trail WHERE seq > 70").await;
    assert!(
        trail.prove(std::slice::from_ref(&early)).await.is_clean(),
        "the chain alone cannot tell"
    );
    assert_eq!(trail.wrong(&kept).await, [Complaint::Shortened { seq: 70, was: 80 }]);

    // it grows again, with other lines in those places
    trail.fill(30).await;
    seal(&trail.worker, noon()).await.unwrap();
    assert_eq!(trail.wrong(&[]).await, []);
    assert_eq!(trail.wrong(&kept).await, [Complaint::Rewritten { seq: 80 }]);

    let nonsense = Head {
        hash: "x".to_owned(),
        ..late
    };
    assert_eq!(trail.wrong(&[nonsense]).await, [Complaint::NoHead { seq: 80 }]);
    assert!("{\"seq\":1}".parse::<Head>().is_err());
}

/// `SWITCHYARD_AUDIT_LINES=1000000` shows the figure of docs/PERFORMANCE.md.
#[tokio::test]
async fn a_long_trail_is_proved_page_by_page() {
    let wanted = std::env::var("SWITCHYARD_AUDIT_LINES")
        .ok()
        .and_then(|n| n.parse().ok());
    let lines: usize = wanted.unwrap_or(12_000);
    let trail = Trail::new().await;
    trail.fill(lines).await;
    let started = std::time::Instant::now();
    let sealed = seal(&trail.worker, noon()).await.unwrap();
    println!("{lines} lines sealed in {:?}", started.elapsed());
    let started = std::time::Instant::now();
    assert!(trail.prove(&[sealed.head]).await.is_clean());
    println!("{lines} lines proved in {:?}", started.elapsed());
    let last = i64::try_from(lines).unwrap();
    trail
        .tamper(&format!(
            "UPDATE audit_trail SET result = 'ok' WHERE seq IN (2, {last})"
        ))
        .await;
    let changed = |seq| Complaint::Changed { seq };
    assert_eq!(trail.wrong(&[]).await, [changed(2), changed(last)]);
}
