//! Nodes that lose what they take, or are behind: no wallet is blamed for it, and nothing is paid too early.

use ::devnet::{Fault, FaultRule, Match};
use db::acquire;
use db::models::{ChainCursor, OrderState};

use crate::harness::{NETWORK, Rig};

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_that_loses_everything_isolates_no_wallet() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("chain.nothing_lands");
    let mut suppliers = Vec::new();
    for _ in 0..2 {
        suppliers.push(rig.supplier(50_000).await);
    }
    rig.idle().await;
    rig.devnet
        .add_fault(FaultRule::always("broadcasthex", Fault::AcceptAndDrop))
        .unwrap();
    let mut orders = Vec::new();
    for _ in 0..10 {
        orders.push(rig.order(rig.wish()).await);
    }
    rig.until("all are proven dead", async || {
        rig.count("SELECT count(*) AS n FROM chain_transactions WHERE state = 'dead'")
            .await
            >= 10
    })
    .await;
    assert_eq!(rig.open_findings().await, ["chain.nothing_lands tron"]);
    rig.devnet.clear_faults();
    for order in orders {
        rig.wait_settled(order).await;
    }
    for supplier in suppliers {
        let wallet = rig.wallet(supplier.id).await;
        assert_eq!((wallet.isolated_at, wallet.failures), (None, 0));
    }
    assert_eq!(rig.open_findings().await, [""; 0], "something lands again");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_solid_head_that_lags_delays_the_money_and_not_the_energy() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(50_000).await;
    rig.quiesce().await;
    rig.devnet
        .add_fault(FaultRule::always("getnowblock", Fault::StaleHead { by: 12 }))
        .unwrap();
    let order = rig.order(rig.wish()).await;
    rig.meanwhile("it is sent", async || {
        rig.detail(order).await.transactions.iter().any(|tx| tx.sends == 1)
    })
    .await;
    for _ in 0..10 {
        rig.mine(1);
        rig.meanwhile("the block is read", async || {
            rig.cursor().await.head_number == rig.devnet.head()
        })
        .await;
    }
    let delivered = rig.find(order).await;
    assert_eq!(delivered.state, OrderState::Completed);
    let cursor = rig.cursor().await;
    assert!(
        cursor.solid_number < rig.devnet.solid() - 5,
        "the nodes say less than they know"
    );
    assert_eq!(delivered.settled_at, None, "by what they say a fork may take it back");
    rig.devnet.clear_faults();
    rig.wait_settled(order).await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_behind_the_others_takes_nothing_back() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(100_000).await;
    rig.quiesce().await;
    // every other answer comes from a node that is behind: an older head, and no new blocks yet
    let behind = Fault::StaleHead { by: 5 };
    let nothing_new = Fault::HttpStatus {
        status: 200,
        body: "{}".into(),
    };
    for (path, fault) in [("getnowblock", behind), ("getblockbylimitnext", nothing_new)] {
        let on = Match {
            path: Some(path.into()),
            every: Some(2),
            count: Some(30),
            ..Match::default()
        };
        rig.devnet.add_fault(FaultRule { on, fault }).unwrap();
    }
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(rig.order(rig.wish()).await);
    }
    for order in orders {
        rig.wait_settled(order).await;
        let detail = rig.detail(order).await;
        assert_eq!((detail.order.attempts, detail.transactions.len()), (1, 1));
        assert_eq!(
            rig.timeline(order).await,
            ["accepted", "signed", "completed", "settled"],
            "nothing was reverted"
        );
    }
    rig.judge().await;
}

impl Rig {
    /// How far the chain was read.
    pub(super) async fn cursor(&self) -> ChainCursor {
        let mut conn = acquire(&self.owner).await.unwrap();
        ChainCursor::find(&mut conn, NETWORK).await.unwrap().unwrap()
    }
}
