//! The judge of the flows is able to complain, and so is the one that operators have.

use ::devnet::{Fault, FaultRule};
use db::models::OrderState;
use serde_json::Value;

use crate::harness::{Rig, TRX};

#[tokio::test(flavor = "multi_thread")]
async fn the_judge_sees_broken_books() {
    let (rig, worker) = Rig::with_worker().await;
    let supplier = rig.supplier(100_000).await;
    let delivered = rig.order(rig.wish()).await;
    rig.wait_settled(delivered).await;
    rig.quiesce().await;
    assert_eq!(rig.complaints().await, Vec::<String>::new(), "all is well so far");
    worker.stop().await;

    let order = delivered.to_string();
    let wallet = supplier.id.to_string();
    for (breaks, mends, word) in breakages(&order, &wallet) {
        rig.force(&breaks).await;
        let complaints = rig.complaints().await;
        assert!(
            complaints.iter().any(|line| line.contains(word)),
            "{word}: {complaints:#?}"
        );
        rig.force(&format!("{mends}; DELETE FROM findings")).await;
        if !mends.is_empty() {
            assert_eq!(rig.complaints().await, Vec::<String>::new(), "mended: {word}");
        }
    }
    rig.condemn();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_judge_sees_what_is_not_over() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(50_000).await;
    rig.devnet
        .add_fault(FaultRule::always("broadcasthex", Fault::AcceptAndDrop))
        .unwrap();
    let order = rig.order(rig.wish()).await;
    rig.wait_for(order, OrderState::Processing).await;
    let complaints = rig.complaints().await;
    for word in [
        "is processing, settled None",
        "has not come to an end: sent",
        "is reserved, made and undone",
    ] {
        assert!(
            complaints.iter().any(|line| line.contains(word)),
            "{word}: {complaints:#?}"
        );
    }
    rig.condemn();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_judge_sees_stake_that_the_books_do_not_know() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.supplier(50_000).await;
    let wish = rig.wish();
    let order = rig.order(wish).await;
    rig.wait_settled(order).await;
    rig.quiesce().await;
    // to a stranger, and to a customer on top of what was sold
    for receiver in [rig.customer_account(), wish.receiver] {
        rig.lend_outside(&supplier, receiver, 7 * TRX).await;
        let told = format!("to {receiver}");
        rig.until("it is solid", async || {
            rig.complaints()
                .await
                .iter()
                .any(|line| line.starts_with("wallets.lent") && line.contains(&told))
        })
        .await;
    }
    let complaints = rig.complaints().await;
    let rules: Vec<&str> = complaints.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(
        rules,
        ["wallets.stake", "wallets.lent", "wallets.lent"],
        "{complaints:#?}"
    );
    rig.condemn();
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_audit_a_service_that_runs() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(100_000).await;
    let delivered = rig.order(rig.wish()).await;
    rig.wait_settled(delivered).await;
    rig.pass(300);
    rig.wait_event(delivered, "reclaimed").await;
    rig.quiesce().await;
    let on_its_way = rig.order(rig.wish()).await;
    rig.wait_for(on_its_way, OrderState::Completed).await;

    // an open order is fine, unless everything should be over
    let report = rig.audit(0, &[]).await;
    assert_eq!(
        (&report["orders"], &report["wallets"]),
        (&2.into(), &1.into()),
        "{report}"
    );
    assert_eq!(report["landed"], 2, "what is not solid yet is not asked for: {report}");
    let head = format!("1..{}", rig.devnet.head());
    assert_eq!(rig.audit(0, &["--blocks", &head]).await["landed"], 3);
    rig.audit(1, &["--at-rest"]).await;
    rig.wait_settled(on_its_way).await;
    rig.quiesce().await;
    rig.audit(0, &["--at-rest"]).await;

    // a delivered order whose money went back
    rig.force(&format!(
        "UPDATE orders SET state = 'refunded', settled_at = NULL WHERE id = '{delivered}'"
    ))
    .await;
    for words in [&[][..], &["--blocks", &head]] {
        let report = rig.audit(1, words).await;
        let rules: Vec<&str> = report["complaints"]
            .as_array()
            .unwrap()
            .iter()
            .map(|complaint| complaint["rule"].as_str().unwrap())
            .collect();
        assert_eq!(rules, ["orders.money", "orders.one_end", "orders.delegation"]);
    }
    rig.devnet
        .add_fault(FaultRule::always(
            "getnowblock",
            Fault::DropConnection { processed: false },
        ))
        .unwrap();
    let blind = rig.command(&["audit"]).await;
    assert_eq!(blind.status.code(), Some(2), "nothing is said of what cannot be seen");
    assert!(blind.stdout.is_empty());
    rig.condemn();
}

impl Rig {
    /// The report of the operators' command, which ends with this code.
    async fn audit(&self, code: i32, words: &[&str]) -> Value {
        let words: Vec<&str> = ["audit", "--json"].iter().chain(words).copied().collect();
        let output = self.command(&words).await;
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}\n{complained}");
        serde_json::from_str(&said).unwrap()
    }
}

/// What is broken, how it is mended, and a word of the complaint. What cannot be mended comes last.
fn breakages(order: &str, wallet: &str) -> [(String, String, &'static str); 9] {
    [
        (
            "INSERT INTO jobs (kind, object_id, queue, state, dead_at, next_run_at, created_at) \
             VALUES ('wallets.sync', 'x', 'wallets', 'dead', now(), now(), now())"
                .into(),
            "DELETE FROM jobs".into(),
            "job left: dead wallets.sync",
        ),
        (
            format!("UPDATE supplier_wallets SET reserved_sun = reserved_sun + 1 WHERE id = '{wallet}'"),
            format!("UPDATE supplier_wallets SET reserved_sun = reserved_sun - 1 WHERE id = '{wallet}'"),
            "wallets.reservation_differs",
        ),
        (
            "UPDATE ledger_accounts SET balance = balance + 1 WHERE code = 'user:1:TRX'".into(),
            "UPDATE ledger_accounts SET balance = balance - 1 WHERE code = 'user:1:TRX'".into(),
            "ledger.balance_differs",
        ),
        (
            format!("UPDATE orders SET settled_at = NULL WHERE id = '{order}'"),
            format!("UPDATE orders SET settled_at = now() WHERE id = '{order}'"),
            "ledger.escrow_differs",
        ),
        (
            format!("UPDATE orders SET state = 'refunded', settled_at = NULL WHERE id = '{order}'"),
            format!("UPDATE orders SET state = 'completed', settled_at = now() WHERE id = '{order}'"),
            "energy delegated on chain",
        ),
        (
            format!("UPDATE delegations SET amount_sun = amount_sun + 1 WHERE order_id = '{order}'"),
            format!("UPDATE delegations SET amount_sun = amount_sun - 1 WHERE order_id = '{order}'"),
            "in our books",
        ),
        (
            format!(
                "UPDATE delegations SET state = 'reclaimed', reclaim_block_number = 9, reclaimed_at = now() \
                 WHERE order_id = '{order}'"
            ),
            format!(
                "UPDATE delegations SET state = 'active', reclaim_block_number = NULL, reclaimed_at = NULL \
                 WHERE order_id = '{order}'"
            ),
            "made and undone on chain (1, 0)",
        ),
        (
            "UPDATE chain_transactions SET txid = translate(txid, '0123456789abcdef', '123456789abcdef0'), \
             state = 'dead', outcome = NULL, block_number = NULL, block_id = NULL, block_time = NULL, \
             death_cause = 'expired'"
                .into(),
            String::new(),
            "stranger on chain",
        ),
        (
            "INSERT INTO findings (id, kind, severity, subject, action, first_seen_at, last_seen_at) VALUES \
             (gen_random_uuid(), 'orders.stuck', 'warning', 'order:x', 'look', now(), now())"
                .into(),
            String::new(),
            "finding: orders.stuck",
        ),
    ]
}

impl Rig {
    /// SQL that no trigger hinders.
    async fn force(&self, sql: &str) {
        self.db
            .sql(&format!(
                "BEGIN; SET LOCAL session_replication_role = replica; {sql}; COMMIT"
            ))
            .await;
    }
}
