//! What the chain does to an order: forks, and blocks that nobody reads for a while.

use std::time::Duration;

use ::devnet::{Fault, FaultRule, ForkKeep, Match};
use chrono::TimeDelta;
use db::models::{OrderState, TxState};
use tokio_util::sync::CancellationToken;

use crate::harness::{Does, Rig, environment, watcher};

/// The question for one block.
const BY_NUMBER: &str = "/wallet/getblockbynum";

#[tokio::test(flavor = "multi_thread")]
async fn a_delegation_that_a_fork_takes_back_lands_again_and_is_paid_once() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(50_000).await;
    for (keep, depth) in [(ForkKeep::DropAll, 1), (ForkKeep::Keep, 2), (ForkKeep::DropAll, 2)] {
        let order = rig.order(rig.wish()).await;
        rig.wait_for(order, OrderState::Completed).await;
        if depth == 2 {
            rig.mine(1);
            rig.idle().await;
        }
        assert_eq!(rig.find(order).await.settled_at, None);
        rig.fork(depth, &keep);
        rig.wait_settled(order).await;
        let detail = rig.detail(order).await;
        assert_eq!(
            (detail.order.attempts, detail.transactions.len()),
            (1, 1),
            "the same bytes"
        );
        assert_eq!(detail.transactions[0].state, TxState::Final);
        assert_eq!(
            rig.timeline(order).await,
            ["accepted", "signed", "completed", "reverted", "completed", "settled"]
        );
        let block = detail.delegations[0].0.block_number;
        assert_eq!(
            block, detail.transactions[0].block_number,
            "the delegation is in the block that stayed"
        );
    }
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lacks_a_block_takes_none_back() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(50_000).await;
    let order = rig.order(rig.wish()).await;
    rig.wait_settled(order).await;
    rig.quiesce().await;
    let before = rig.cursor().await;
    // one node tells of a small fork, and another one is asked where it began, which is far behind
    let (asked, path) = (rig.devnet.calls(BY_NUMBER), Some(BY_NUMBER.into()));
    let behind = Fault::HttpStatus {
        status: 200,
        body: "{}".into(),
    };
    let on = Match {
        path,
        ..Match::default()
    };
    rig.devnet.add_fault(FaultRule { on, fault: behind }).unwrap();
    rig.fork(1, &ForkKeep::Keep);
    rig.meanwhile("it was asked several times", async || {
        rig.devnet.calls(BY_NUMBER) > asked + 5
    })
    .await;
    let meanwhile = rig.cursor().await;
    assert_eq!(
        (meanwhile.halted_reason, meanwhile.head_block_id),
        (None, before.head_block_id),
        "nothing is taken back, and nothing is stopped"
    );
    rig.devnet.clear_faults();
    rig.until("the fork is followed", async || {
        rig.cursor().await.head_number == rig.devnet.head()
    })
    .await;
    assert_eq!(
        rig.timeline(order).await,
        ["accepted", "signed", "completed", "settled"]
    );
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reclaim_that_a_fork_takes_back_lands_again() {
    let (rig, _worker) = Rig::with_worker().await;
    let supplier = rig.supplier(50_000).await;
    let wish = rig.wish();
    let order = rig.order(wish).await;
    rig.wait_settled(order).await;
    rig.pass(300);
    rig.wait_event(order, "reclaimed").await;
    rig.fork(1, &ForkKeep::DropAll);
    assert!(rig.lent(supplier.address, wish.receiver).await > 0, "it is lent again");
    rig.wait_event(order, "reclaim_reverted").await;
    rig.until("taken back again", async || {
        rig.timeline(order)
            .await
            .last()
            .is_some_and(|event| event == "reclaimed")
    })
    .await;
    assert_eq!(rig.detail(order).await.transactions.len(), 2, "the same bytes");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_nobody_watched_are_read_later() {
    let rig = Rig::new().await;
    let _jobs = rig.start(Does::OnlyJobs);
    let watching = rig.start(Does::OnlyWatching);
    rig.supplier(50_000).await;
    let order = rig.order(rig.wish()).await;
    rig.wait_for(order, OrderState::Processing).await;
    watching.stop().await;

    // more than one fetch, far beyond the transaction's expiry
    rig.mine(70);
    assert_eq!(rig.find(order).await.state, OrderState::Processing);
    let _again = rig.start(Does::OnlyWatching);
    rig.wait_settled(order).await;
    let detail = rig.detail(order).await;
    assert_eq!(
        (detail.order.attempts, detail.transactions.len()),
        (1, 1),
        "it had landed in time"
    );
    assert_eq!(
        rig.count("SELECT count(*) AS n FROM blocks").await,
        rig.blocks_between().await
    );
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_while_the_chain_is_not_read() {
    let rig = Rig::new().await;
    let _jobs = rig.start(Does::OnlyJobs);
    let watching = rig.start(Does::OnlyWatching);
    rig.supplier(50_000).await;
    rig.idle().await;
    watching.stop().await;
    // silent for two minutes
    rig.db
        .sql("UPDATE chain_cursors SET updated_at = updated_at - interval '2 minutes'")
        .await;
    let order = rig.order(rig.wish()).await;
    rig.meanwhile("the order waits", async || {
        rig.count("SELECT count(*) AS n FROM jobs WHERE last_error_code = 'chain_not_current'")
            .await
            == 1
            || rig.find(order).await.state != OrderState::Pending
    })
    .await;
    assert_eq!(rig.find(order).await.state, OrderState::Pending);
    assert_eq!(rig.devnet.calls("/wallet/broadcasthex"), 0);

    let _again = rig.start(Does::OnlyWatching);
    rig.wait_settled(order).await;
    assert_eq!(rig.find(order).await.attempts, 1);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_watchers_at_once_apply_each_block_once() {
    let rig = Rig::new().await;
    let _jobs = rig.start(Does::OnlyJobs);
    let env = environment(&rig.world).await;
    // leases that are over at once keep nobody away: only the cursor's own guard is left
    let [one, two] = ["one", "two"].map(|name| watcher(&env, name.into(), TimeDelta::zero()));
    let stop = CancellationToken::new();
    let watching = [one, two].map(|watcher| tokio::spawn(watcher.run(stop.clone())));
    rig.supplier(200_000).await;
    for round in 0..12 {
        let order = rig.order(rig.wish()).await;
        rig.wait_for(order, OrderState::Completed).await;
        if round % 3 == 0 {
            rig.fork(1, &ForkKeep::DropAll);
        }
        rig.wait_settled(order).await;
        assert_eq!(rig.find(order).await.attempts, 1);
        let events = rig.timeline(order).await;
        let times = |name: &str| events.iter().filter(|event| *event == name).count();
        assert_eq!(times("completed"), 1 + times("reverted"), "{events:?}");
        assert_eq!(
            (times("reverted"), times("settled")),
            (usize::from(round % 3 == 0), 1),
            "{events:?}"
        );
    }
    rig.quiesce().await;
    stop.cancel();
    futures::future::join_all(watching).await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_is_stopped_hands_over_at_once_and_a_killed_one_when_its_lease_is_over() {
    let held = "SELECT count(*) AS n FROM chain_cursors WHERE lease_until IS NOT NULL";
    let rig = Rig::new().await;
    let _jobs = rig.start(Does::OnlyJobs);
    let first = rig.start(Does::OnlyWatching);
    rig.idle().await;
    assert_eq!(rig.count(held).await, 1);
    first.stop().await;
    assert_eq!(rig.count(held).await, 0, "given back");

    let second = rig.start(Does::OnlyWatching);
    rig.mine(1);
    rig.idle().await;
    second.kill().await;
    assert_eq!(rig.count(held).await, 1, "nobody gave it back");
    let _third = rig.start(Does::OnlyWatching);
    rig.mine(1);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!rig.is_idle().await, "the lease still runs");
    rig.clock.advance(11);
    rig.idle().await;
    rig.judge().await;
}

impl Rig {
    /// Replaces the newest blocks. The clock goes with the chain, which is longer by one.
    pub(super) fn fork(&self, depth: u64, keep: &ForkKeep) {
        self.clock.advance(3);
        self.devnet.fork(depth, keep).unwrap();
    }

    /// How many blocks there are from the first that was read to the newest.
    async fn blocks_between(&self) -> i64 {
        let cursor = self.cursor().await;
        cursor.head_number - cursor.first_number + 1
    }
}
