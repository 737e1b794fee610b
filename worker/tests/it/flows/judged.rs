//! The judge of the flows is able to complain.

use ::devnet::{Fault, FaultRule};
use db::models::OrderState;

use crate::harness::Rig;

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
            "with 1 delegations on chain",
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
