//! The chain lends what our books do not know, or does not lend what they say: found receiver by receiver, shown with what
//! to do, and over once that is done.

use ::devnet::{Fault, FaultRule};
use jobs::JobKind;
use kernel::OrderId;

use crate::harness::{Rig, TRX, Wish};

impl Rig {
    /// The comparison of everything, after time enough for a new round.
    async fn compare_lent(&self) {
        self.pass(46 * 60);
        self.quiesce_chain().await;
        self.ask(JobKind::OperationsReconcile, "lent").await;
        self.until("it is compared", async || {
            self.count("SELECT count(*) AS n FROM jobs WHERE kind = 'operations.reconcile'")
                .await
                == 0
        })
        .await;
    }

    /// Blocks until everything so far is solid with some to spare.
    async fn quiesce_chain(&self) {
        for _ in 0..8 {
            self.mine(1);
            self.idle().await;
        }
    }

    /// Kinds and subjects of what is open about lending.
    async fn lent_findings(&self) -> Vec<String> {
        let mut open = self.open_findings().await;
        open.retain(|line| line.starts_with("wallets.lends"));
        open
    }

    /// What the finding says of transactions that landed although we held them for dead.
    async fn landed_by_finding(&self) -> Vec<String> {
        self.lines(
            "SELECT jsonb_array_elements_text(detail->'landed') AS line FROM findings \
             WHERE kind = 'wallets.lends_unknown' AND resolved_at IS NULL",
        )
        .await
    }

    async fn adopt(&self, txid: &str) -> (Option<i32>, String) {
        let output = self
            .command(&["delegations", "adopt", txid, "--operator", "anna"])
            .await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said)
    }

    async fn first_txid(&self, order: OrderId) -> String {
        self.detail(order).await.transactions[0].txid.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stake_moved_outside_is_found_per_receiver_and_forgotten_once_mended() {
    let (rig, _worker) = Rig::with_worker().await;
    for kind in [
        "wallets.lends_unknown",
        "wallets.lends_missing",
        "wallets.delegated_differs",
        "wallets.isolated",
    ] {
        rig.expect_finding(kind);
    }
    let supplier = rig.supplier(100_000).await;
    let long = |wish: Wish| Wish {
        duration_s: 2_000_000,
        ..wish
    };
    let (one, two) = (long(rig.wish()), long(rig.wish()));
    for wish in [one, two] {
        let order = rig.order(wish).await;
        rig.wait_settled(order).await;
    }
    rig.compare_lent().await;
    assert_eq!(rig.lent_findings().await, [""; 0], "all is well so far");

    // to a stranger; more to a customer than was sold; less to another one. The sum stays what it was.
    let stranger = rig.customer_account();
    rig.lend_outside(&supplier, stranger, 2 * TRX).await;
    rig.lend_outside(&supplier, one.receiver, 3 * TRX).await;
    rig.take_back_outside(&supplier, two.receiver, 5 * TRX).await;
    rig.compare_lent().await;
    let subject = |receiver| format!("wallet:{}:{receiver}", supplier.id);
    let mut expected = vec![
        format!("wallets.lends_missing {}", subject(two.receiver)),
        format!("wallets.lends_unknown {}", subject(one.receiver)),
        format!("wallets.lends_unknown {}", subject(stranger)),
    ];
    expected.sort();
    assert_eq!(rig.lent_findings().await, expected);

    rig.take_back_outside(&supplier, stranger, 2 * TRX).await;
    rig.take_back_outside(&supplier, one.receiver, 3 * TRX).await;
    rig.lend_outside(&supplier, two.receiver, 5 * TRX).await;
    rig.compare_lent().await;
    assert_eq!(rig.lent_findings().await, [""; 0]);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegation_held_for_dead_is_found_adopted_and_taken_back() {
    let (rig, _worker) = Rig::with_worker().await;
    for kind in [
        "chain.dead_transaction_landed",
        "wallets.delegated_differs",
        "wallets.lends_unknown",
    ] {
        rig.expect_finding(kind);
    }
    let supplier = rig.supplier(50_000).await;
    let lie = Fault::RefuseButInclude {
        code: "CONTRACT_VALIDATE_ERROR".into(),
        message: "delegateBalance must be less than or equal to available FreezeEnergyV2 balance".into(),
    };
    rig.devnet.add_fault(FaultRule::times("broadcasthex", 1, lie)).unwrap();
    let wish = rig.wish();
    let order = rig.order(wish).await;
    rig.wait_settled(order).await;
    let dead = rig.first_txid(order).await;
    rig.compare_lent().await;
    assert_eq!(
        rig.lent_findings().await,
        [format!(
            "wallets.lends_unknown wallet:{}:{}",
            supplier.id, wish.receiver
        )]
    );
    assert_eq!(
        rig.landed_by_finding().await.as_slice(),
        std::slice::from_ref(&dead),
        "it says which"
    );

    assert_eq!(rig.adopt(&dead).await.0, Some(0));
    rig.until("it is taken back", async || {
        rig.lent(supplier.address, wish.receiver).await == 0
    })
    .await;
    let (code, said) = rig.adopt(&dead).await;
    assert!(code == Some(1) && said.contains("it is not held for dead"), "{said}");
    let events = rig.timeline(order).await;
    assert!(events.contains(&"adopted".into()), "{events:?}");
    rig.compare_lent().await;
    assert_eq!(rig.lent_findings().await, [""; 0]);
    // the order was delivered once, and the stray is back: nothing is wrong any more
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reclaim_that_a_node_refuses_and_includes_takes_no_other_rental() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.supplier(100_000).await;
    let short = rig.wish();
    let long = Wish {
        duration_s: 3_600,
        energy: 131_000,
        ..short
    };
    let (first, second) = (rig.order(short).await, rig.order(long).await);
    rig.wait_settled(first).await;
    rig.wait_settled(second).await;
    rig.quiesce().await;
    let lent = rig.detail(second).await.delegations[0].0.amount_sun;
    let lie = Fault::RefuseButInclude {
        code: "CONTRACT_VALIDATE_ERROR".into(),
        message: "delegated Resource does not exist".into(),
    };
    rig.devnet.add_fault(FaultRule::times("broadcasthex", 1, lie)).unwrap();
    rig.pass(300);
    rig.wait_event(first, "reclaimed").await;
    // as long as another reclaim would take
    rig.pass(70);
    rig.quiesce().await;
    assert_eq!(rig.lent(supplier.address, short.receiver).await, lent, "whole");
    assert_eq!(
        rig.detail(first).await.transactions.len(),
        2,
        "one reclaim, and no other"
    );
    assert_eq!(rig.open_findings().await, [""; 0]);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_incomplete_block_kept_from_us_is_found_and_taken_into_the_books() {
    let (rig, _worker) = Rig::with_worker().await;
    for kind in ["chain.transaction_missed", "orders.stuck", "chain.nothing_lands"] {
        rig.expect_finding(kind);
    }
    let supplier = rig.supplier(50_000).await;
    rig.quiesce().await;
    let empty = FaultRule::always("getblockbylimitnext", Fault::EmptyBlocks);
    rig.devnet.add_fault(empty).unwrap();
    let wish = rig.wish();
    let order = rig.order(wish).await;
    rig.until("the chain has it", async || {
        rig.lent(supplier.address, wish.receiver).await > 0
    })
    .await;
    rig.mine(2);
    rig.idle().await;
    rig.devnet.clear_faults();
    rig.pass(70);
    rig.until("it is missed", async || {
        let open = rig.open_findings().await;
        open.iter().any(|line| line.starts_with("chain.transaction_missed"))
    })
    .await;
    let missed = rig.first_txid(order).await;
    let (code, said) = rig.adopt(&missed).await;
    assert_eq!(code, Some(0), "{said}");
    rig.wait_settled(order).await;
    assert_eq!(rig.detail(order).await.transactions.len(), 1, "delivered once");
    rig.pass(300);
    rig.wait_event(order, "reclaimed").await;
    rig.judge().await;
}
