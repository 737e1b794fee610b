//! The commands on a database, as they are typed: what they answer and what they leave.

use clap::Parser;
use db::models::Action;
use domain::operations::StuckKind;
use jobs::{JobKind, JobRequest, begin, bury, enqueue_in_tx};
use kernel::{Clock, SystemClock};
use testkit::{Role, TestDb};

use super::super::{Command as Top, findings, stuck};
use super::*;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Top,
}

/// What a command line answers, carried out with a worker's rights.
async fn say(db: &TestDb, line: &str) -> anyhow::Result<String> {
    let words = std::iter::once("switchyard-worker").chain(line.split(' '));
    let cli = Cli::try_parse_from(words)?;
    let (pool, now) = (db.pool(Role::Worker), SystemClock.now());
    match cli.command {
        Top::Jobs(command) => answer(&pool, command, now).await,
        Top::Stuck(command) => stuck::answer(&pool, command, now).await,
        Top::Findings(command) => findings::answer(&pool, command, now).await,
        other => panic!("not tested here: {other:?}"),
    }
}

async fn dead(db: &TestDb, object_id: &str) {
    let (pool, now) = (db.pool(Role::Worker), SystemClock.now());
    let request = JobRequest {
        kind: JobKind::WalletsSync,
        object_id,
        run_at: now,
        now,
    };
    db::run_tx(&pool, "ask", async |conn| enqueue_in_tx(conn, request).await)
        .await
        .unwrap();
    let job = begin(&pool, JobKind::WalletsSync, object_id, now)
        .await
        .unwrap()
        .unwrap();
    bury(&pool, &job, "bad", "in words", now).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_redriven_and_dropped() {
    let db = TestDb::new().await;
    for id in ["a", "b", "c"] {
        dead(&db, id).await;
    }
    let listed = say(&db, "jobs list --state dead --code bad").await.unwrap();
    assert_eq!(listed.lines().count(), 4, "{listed}");
    assert!(listed.starts_with("STATE  SINCE"), "{listed}");
    assert!(
        listed
            .lines()
            .nth(1)
            .unwrap()
            .ends_with("wallets.sync  a       1     bad   in words"),
        "{listed}"
    );
    let json: Value = serde_json::from_str(&say(&db, "jobs list --json --limit 2").await.unwrap()).unwrap();
    assert_eq!(
        (json.as_array().unwrap().len(), json[0]["code"].as_str()),
        (2, Some("bad"))
    );
    let status = say(&db, "jobs status").await.unwrap();
    assert!(
        status
            .lines()
            .any(|l| l.starts_with("wallets") && l.contains("wallets.sync") && l.ends_with('3')),
        "{status}"
    );

    let one = "jobs redrive --kind wallets.sync --object a --operator anna";
    assert_eq!(say(&db, one).await.unwrap(), "1 of 1 re-driven");
    assert_eq!(say(&db, one).await.unwrap(), "0 of 0 re-driven");
    let dry = say(&db, "jobs drop --all --code bad --operator anna --reason x --dry-run").await;
    assert_eq!(dry.unwrap(), "2 would be dropped");
    let dropped = say(&db, "jobs drop --all --code bad --operator anna --reason gone --json")
        .await
        .unwrap();
    let dropped: Value = serde_json::from_str(&dropped).unwrap();
    assert_eq!(
        (
            dropped["affected"].as_i64(),
            dropped["actions"].as_array().unwrap().len()
        ),
        (Some(2), 1)
    );
    assert_eq!(say(&db, "jobs list --state dead").await.unwrap().lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_much_must_be_said() {
    let db = TestDb::new().await;
    dead(&db, "a").await;
    for (line, why) in [
        ("jobs redrive --operator anna", "--all"),
        ("jobs redrive --kind wallets.sync --operator anna", "--all"),
        ("jobs drop --all --operator anna", "a reason"),
        ("jobs redrive --all", "--operator"),
        ("jobs redrive --all --operator anna --state running", "only dead"),
        ("jobs list --state lost", "lost"),
        ("stuck redrive --operator anna", "--all"),
        (
            "findings resolve 00000000-0000-7000-8000-000000000001 --operator anna",
            "a reason",
        ),
        (
            "findings resolve 00000000-0000-7000-8000-000000000001 --operator anna --reason x",
            "not found",
        ),
    ] {
        let refused = say(&db, line).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{line}: {refused}");
    }
    assert_eq!(
        say(&db, "jobs list --state dead").await.unwrap().lines().count(),
        2,
        "nothing happened"
    );
}

#[test]
fn every_kind_and_action_can_be_asked_for_and_help_lists_them() {
    let parse = |line: &str| Cli::try_parse_from(std::iter::once("switchyard-worker").chain(line.split(' ')));
    for kind in StuckKind::ALL {
        assert!(parse(&format!("stuck list --kind {kind}")).is_ok(), "{kind}");
    }
    for action in Action::ALL {
        assert!(parse(&format!("actions --action {action}")).is_ok(), "{action}");
    }
    for (line, listed) in [
        ("stuck list --kind lost", "staking"),
        ("actions --action lost", "payouts.reject"),
        ("stuck list --help", "rental"),
        ("actions --help", "rentals.return"),
    ] {
        let said = parse(line).err().unwrap().to_string();
        assert!(said.contains(listed), "{line}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stuck_objects_and_findings_are_listed_and_dealt_with() {
    let db = TestDb::new().await;
    db.sql(
        "INSERT INTO supplier_wallets (id, state, created_at, updated_at)
             VALUES ('00000000-0000-7000-8000-0000000000aa', 'importing', now() - interval '1 hour', now());
         INSERT INTO findings (id, kind, severity, subject, action, action_zh, first_seen_at, last_seen_at) VALUES
             ('00000000-0000-7000-8000-0000000000bb', 'pool.low_stock', 'warning', 'tron', 'Add stake.', NULL, now(), now()),
             ('00000000-0000-7000-8000-0000000000cc', 'ledger.unbalanced', 'critical', 'asset:TRX', 'Stop.', '停止。', now(), now())",
    )
    .await;
    let stuck = say(&db, "stuck list").await.unwrap();
    let row = stuck.lines().nth(1).unwrap();
    assert!(
        row.starts_with("wallet  00000000-0000-7000-8000-0000000000aa  importing"),
        "{stuck}"
    );
    assert!(row.contains("wallets.import none"), "{stuck}");
    assert!(
        row.contains("No worker has opened its key") && row.contains("尚无 worker 打开其私钥"),
        "{stuck}"
    );
    let redriven = say(&db, "stuck redrive --all --kind wallet --operator anna").await;
    assert_eq!(redriven.unwrap(), "1 of 1 re-driven");
    let json: Value = serde_json::from_str(&say(&db, "stuck list --json").await.unwrap()).unwrap();
    assert_eq!(json[0]["job_state"], "due");

    let open = say(&db, "findings list").await.unwrap();
    assert!(open.find("critical").unwrap() < open.find("warning").unwrap(), "{open}");
    assert!(open.contains("→ Stop.\n           停止。\n"), "{open}");
    assert!(
        open.ends_with("→ Add stake."),
        "found by a release that did not know Chinese: {open}"
    );
    let resolve = "findings resolve 00000000-0000-7000-8000-0000000000bb --operator anna --reason staked";
    assert_eq!(say(&db, resolve).await.unwrap(), "1 of 1 resolved");
    let left: Value = serde_json::from_str(&say(&db, "findings list --json").await.unwrap()).unwrap();
    assert_eq!(left.as_array().unwrap().len(), 1);
    let resolved = say(&db, "findings list --resolved").await.unwrap();
    assert!(resolved.contains("by operator:anna: staked"), "{resolved}");
}
