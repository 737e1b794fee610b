//! Nodes that lie, fail or stay silent when bytes are sent: at most one delegation lands for each order.

use ::chain::{Broadcast, ChainClient};
use ::devnet::{Fault, FaultRule, Match};
use db::models::{DeathCause, OrderState, TxState};
use kernel::OrderId;

use crate::harness::{Does, Rig, Worker};

const SEND: &str = "broadcasthex";

impl Rig {
    async fn states(&self, order: OrderId) -> Vec<TxState> {
        let transactions = self.detail(order).await.transactions;
        transactions.iter().map(|tx| tx.state).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_bytes_are_dead_only_when_a_solidified_block_says_so() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("chain.nothing_lands");
    rig.supplier(50_000).await;
    rig.devnet
        .add_fault(FaultRule::always(SEND, Fault::AcceptAndDrop))
        .unwrap();
    let order = rig.order(rig.wish()).await;
    rig.wait_for(order, OrderState::Processing).await;
    let expires_at = rig.detail(order).await.transactions[0].expires_at;

    // far past its expiry by the newest block, while none is solidified: a fork could still bring it back
    rig.devnet.stall_solid(true);
    for _ in 0..50 {
        rig.mine(1);
        rig.idle().await;
        assert_eq!(rig.find(order).await.state, OrderState::Processing);
        assert_eq!(rig.states(order).await, [TxState::Sent], "it may still have landed");
    }
    assert!(rig.chain_time() > expires_at + chrono::TimeDelta::seconds(60));
    assert!(
        rig.detail(order).await.transactions[0].sends > 1,
        "it was sent again meanwhile"
    );
    rig.devnet.stall_solid(false);

    rig.devnet.clear_faults();
    rig.wait_settled(order).await;
    let detail = rig.detail(order).await;
    assert_eq!(detail.order.attempts, 2);
    assert_eq!(rig.states(order).await, [TxState::Dead, TxState::Final]);
    assert_eq!(detail.transactions[0].death_cause, Some(DeathCause::Expired));
    assert_eq!(
        rig.timeline(order).await,
        ["accepted", "signed", "attempt_failed", "signed", "completed", "settled"]
    );
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_bytes_that_left_before_proves_nothing() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(50_000).await;
    // believed to be on its way, it is refused at the second send, and that very send brings it into a block
    rig.devnet
        .add_fault(FaultRule::times(SEND, 1, Fault::AcceptAndDrop))
        .unwrap();
    let second = Match {
        path: Some(SEND.into()),
        nth: Some(2),
        count: Some(1),
        ..Match::default()
    };
    let fault = Fault::RefuseButInclude {
        code: "CONTRACT_VALIDATE_ERROR".into(),
        message: "delegateBalance must be less than or equal to available FreezeEnergyV2 balance".into(),
    };
    rig.devnet.add_fault(FaultRule { on: second, fault }).unwrap();
    let order = rig.order(rig.wish()).await;
    rig.wait_settled(order).await;
    let detail = rig.detail(order).await;
    assert_eq!((detail.order.attempts, detail.transactions.len()), (1, 1));
    assert_eq!(detail.transactions[0].sends, 2);
    assert_eq!(
        detail.transactions[0].last_code.as_deref(),
        Some("CONTRACT_VALIDATE_ERROR")
    );
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_says_nothing_sure_never_makes_a_second_delegation() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(100_000).await;
    let lie = |code: &str| Fault::RefuseButInclude {
        code: code.into(),
        message: "no".into(),
    };
    let http = |status| Fault::HttpStatus {
        status,
        body: String::new(),
    };
    let faults = [
        lie("OTHER_ERROR"),
        lie("SERVER_BUSY"),
        lie("A_CODE_OF_THE_FUTURE"),
        http(503),
        http(429),
        Fault::TruncateJson,
        Fault::DropConnection { processed: true },
        Fault::DropConnection { processed: false },
        Fault::DuplicateAnswer,
        Fault::ServerBusy,
    ];
    for fault in faults {
        rig.devnet.add_fault(FaultRule::times(SEND, 1, fault.clone())).unwrap();
        let order = rig.order(rig.wish()).await;
        rig.wait_settled(order).await;
        rig.devnet.clear_faults();
        let detail = rig.detail(order).await;
        assert_eq!((detail.order.attempts, detail.transactions.len()), (1, 1), "{fault:?}");
        assert_eq!(rig.states(order).await, [TxState::Final], "{fault:?}");
    }
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_refuses_and_includes_all_the_same_is_found_out() {
    let (rig, _worker) = Rig::with_worker().await;
    let kind = "chain.dead_transaction_landed";
    rig.expect_finding(kind);
    rig.supplier(50_000).await;
    // a refusal in so many words, on the very first send: we believe it, and deliver by another transaction
    let lie = Fault::RefuseButInclude {
        code: "CONTRACT_VALIDATE_ERROR".into(),
        message: "delegateBalance must be less than or equal to available FreezeEnergyV2 balance".into(),
    };
    rig.devnet.add_fault(FaultRule::times(SEND, 1, lie)).unwrap();
    let order = rig.order(rig.wish()).await;
    rig.wait_settled(order).await;
    rig.quiesce().await;
    let open = rig.open_findings().await;
    assert!(open.iter().any(|line| line.starts_with(kind)), "{open:?}");
    assert!(
        open.iter().any(|line| line.starts_with("wallets.delegated_differs")),
        "{open:?}"
    );
    let complaints = rig.complaints().await;
    assert!(
        complaints
            .iter()
            .any(|line| line.contains("with 130000 of 65000 energy delegated on chain")),
        "{complaints:#?}"
    );
    rig.condemn();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_between_store_and_send_leaves_the_rest_to_another() {
    let (rig, first) = Rig::with_worker().await;
    rig.supplier(50_000).await;
    let unsent = rig.die_while_sending(first).await;
    let second = rig.start(Does::Everything);
    rig.pass(20);
    rig.wait_settled(unsent).await;

    // as before, but the bytes had reached the node when the worker died
    let unanswered = rig.die_while_sending(second).await;
    let raw = rig.detail(unanswered).await.transactions[0].raw.clone();
    assert_eq!(rig.node().broadcast(&raw).await, Broadcast::Accepted);
    let _third = rig.start(Does::Everything);
    rig.pass(20);
    rig.wait_settled(unanswered).await;

    for order in [unsent, unanswered] {
        let detail = rig.detail(order).await;
        assert_eq!(
            (detail.order.attempts, detail.transactions.len()),
            (1, 1),
            "the same bytes"
        );
    }
    rig.judge().await;
}

impl Rig {
    /// An order whose bytes are stored, and whose worker is killed before any answer.
    async fn die_while_sending(&self, worker: Worker) -> OrderId {
        let sent_before = self.devnet.calls("/wallet/broadcasthex");
        self.devnet
            .add_fault(FaultRule::times(SEND, 1, Fault::LatencyMs(60_000)))
            .unwrap();
        let order = self.order(self.wish()).await;
        self.meanwhile("it is on its way", async || {
            self.devnet.calls("/wallet/broadcasthex") > sent_before
        })
        .await;
        worker.kill().await;
        assert_eq!(
            self.states(order).await,
            [TxState::Signed],
            "stored, and no answer recorded"
        );
        self.devnet.clear_faults();
        order
    }
}
