//! Settings that are changed by command while a worker runs.

use crate::harness::{Does, Process, Rig};

const BY: [&str; 4] = ["--operator", "anna", "--reason", "test"];

/// Gives a command; answers whether it was carried out, and what it said.
async fn settings(rig: &Rig, words: &[&str]) -> (bool, String) {
    let output = rig.command(&[&["settings"][..], words].concat()).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), text + &String::from_utf8_lossy(&output.stderr))
}

async fn set(rig: &Rig, changes: &[&str]) -> (bool, String) {
    settings(rig, &[&["set"][..], changes, &BY[..]].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_listed_changed_and_gone_back_to_by_command() {
    let (rig, _worker) = Rig::with_worker().await;
    let (good, text) = settings(&rig, &["list"]).await;
    assert!(good && text.contains("version 0\n"), "{text}");
    assert!(text.contains("orders.max_parts = 5 wallets  (configured)"), "{text}");
    let (good, text) = set(&rig, &["orders.max_parts=3", "pool.low_trx=7.5"]).await;
    assert!(good && text.contains("version 1 is in force"), "{text}");
    assert!(text.contains("orders.max_parts: configured -> 3"), "{text}");
    let (_, text) = settings(&rig, &["list"]).await;
    let listed = "orders.max_parts = 3 wallets  (version 1 by operator:anna, configured: 5)";
    assert!(text.contains(listed), "{text}");
    for (changes, said) in [
        (&["orders.energy_max=1"][..], "do not hold"),
        (&["orders.max_parts=3"][..], "nothing would change"),
        (&["orders.max_parts=4", "--base", "0"][..], "version 1 is in force"),
        (&["database.url=x"][..], "there is no setting"),
    ] {
        let (good, text) = set(&rig, changes).await;
        assert!(!good && text.contains(said), "{changes:?}: {text}");
    }
    let (good, text) = set(&rig, &["pool.low_trx=configured"]).await;
    assert!(good && text.contains("pool.low_trx: 7.500000 -> configured"), "{text}");
    let (good, text) = settings(&rig, &[&["restore", "1"][..], &BY[..]].concat()).await;
    assert!(good && text.contains("pool.low_trx: configured -> 7.500000"), "{text}");
    let (good, text) = settings(&rig, &["versions"]).await;
    assert!(good && text.contains("by operator:anna, back to 1: test"), "{text}");
    assert_eq!(text.matches("version ").count(), 3, "{text}");
    let of = |table: &str| format!("(SELECT count(*) FROM {table} WHERE action = 'cli.settings')");
    let told = format!("SELECT {} + {} AS n", of("audit_inbox"), of("audit_trail"));
    let told = rig.count(&told).await;
    assert_eq!(told, 3, "each change left its line");
    // a release that knew another setting was here: nothing is changed on top of it, and it can be taken back
    rig.db.sql(
        "INSERT INTO setting_versions (version, id, overrides, since, author, author_name, reason, created_at)
         SELECT 4, gen_random_uuid(), overrides || '{\"orders.gone\": 1}', since || '{\"orders.gone\": 4}', author, author_name,
             reason, created_at FROM setting_versions WHERE version = 3",
    )
    .await;
    let (good, text) = set(&rig, &["orders.max_parts=2"]).await;
    assert!(!good && text.contains("orders.gone"), "{text}");
    let (good, text) = set(&rig, &["orders.gone=configured"]).await;
    assert!(good && text.contains("orders.gone: 1 -> configured"), "{text}");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_runs_goes_by_a_change_within_seconds() {
    let (rig, worker) = Rig::with_worker().await;
    rig.expect_finding("pool.low_stock");
    rig.supplier(50_000).await;
    rig.idle().await;
    worker.stop().await;
    let process = Process::start(&rig.world);
    rig.meanwhile("the worker starts", async || {
        process.log().contains("settings are in force")
    })
    .await;
    let (good, text) = set(&rig, &["pool.low_stock_energy=1_000_000_000_000"]).await;
    assert!(good, "{text}");
    rig.meanwhile("the worker sees it", async || {
        process.log().matches("settings are in force").count() == 2
    })
    .await;
    // no wallet has so much: the next look at the stock, a minute later at most, says so
    rig.until("the stock is low", async || {
        rig.open_findings()
            .await
            .iter()
            .any(|finding| finding.starts_with("pool.low_stock"))
    })
    .await;
    assert!(!process.end().await, "it drains");
    let _worker = rig.start(Does::Everything);
    rig.judge().await;
}
