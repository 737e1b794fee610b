//! Moving a test on: blocks, time, and waiting for what has to come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::chain::{ChainClient, TronAddress};
use chrono::{DateTime, Utc};
use db::acquire;
use db::models::OrderState;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use kernel::{Clock, OrderId};
use tron::TronClient;

use super::{NETWORK, Rig, client};

/// Real time that anything may take: the machine may be slow, and a job whose run was lost waits for its lease, at most 105 s.
const PATIENCE: Duration = Duration::from_secs(150);
/// Blocks that anything may take.
const BLOCKS: usize = 300;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// Chain time from block to block.
const BLOCK_S: i64 = 3;

#[derive(diesel::QueryableByName)]
struct Idle {
    #[diesel(sql_type = Bool)]
    idle: bool,
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The chain is read up to its newest and its solidified block, no job is due or running, no broadcast is on its way. Due
/// within a second: between the look at the clock and the look at the rows a worker may ask for one.
const IDLE: &str = "SELECT EXISTS (SELECT 1 FROM chain_cursors
        WHERE network = $1 AND head_number = $2 AND solid_number = $3)
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'due' AND (next_run_at <= $4 + interval '1 second' OR started_at IS NOT NULL))
    AND NOT EXISTS (SELECT 1 FROM chain_transactions WHERE state = 'signed') AS idle";

impl Rig {
    /// Makes blocks, without waiting for anybody. The clock goes with the chain.
    pub(crate) fn mine(&self, count: u64) {
        self.clock.advance(BLOCK_S * i64::try_from(count).unwrap());
        self.devnet.mine(count).unwrap();
    }

    /// Lets time pass at once, for the chain as for everybody.
    pub(crate) fn pass(&self, seconds: u32) {
        self.clock.advance(i64::from(seconds));
        self.devnet.advance(u64::from(seconds)).unwrap();
        self.mine(1);
    }

    /// Waits until nothing is left to do at this block and this moment.
    pub(crate) async fn idle(&self) {
        let started = Instant::now();
        while !self.is_idle().await {
            if started.elapsed() > PATIENCE {
                panic!("it does not come to rest:\n{}", self.report().await);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(crate) async fn is_idle(&self) -> bool {
        let mut conn = acquire(&self.owner).await.unwrap();
        let idle: Idle = diesel::sql_query(IDLE)
            .bind::<Text, _>(NETWORK)
            .bind::<BigInt, _>(self.devnet.head())
            .bind::<BigInt, _>(self.devnet.solid())
            .bind::<Timestamptz, _>(self.clock.now())
            .get_result(&mut conn)
            .await
            .unwrap();
        idle.idle
    }

    /// Makes blocks, each after all work is done, until the condition holds.
    pub(crate) async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        for _ in 0..BLOCKS {
            self.idle().await;
            if condition().await {
                return;
            }
            self.mine(1);
        }
        panic!("{BLOCKS} blocks in vain: {what}\n{}", self.report().await);
    }

    /// Waits without making blocks.
    pub(crate) async fn meanwhile(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let started = Instant::now();
        while !condition().await {
            if started.elapsed() > PATIENCE {
                panic!("waited in vain: {what}\n{}", self.report().await);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Makes blocks until the order is in this state.
    pub(crate) async fn wait_for(&self, order: OrderId, state: OrderState) {
        let what = format!("order {order} becomes {state}");
        self.until(&what, async || self.find(order).await.state == state).await;
    }

    /// Makes blocks until the order's delegation is final and paid.
    pub(crate) async fn wait_settled(&self, order: OrderId) {
        self.until("settled", async || self.find(order).await.settled_at.is_some())
            .await;
    }

    /// Makes blocks until an event is in the order's timeline.
    pub(crate) async fn wait_event(&self, order: OrderId, event: &str) {
        let is_there = async || self.timeline(order).await.iter().any(|seen| seen == event);
        self.until(event, is_there).await;
    }

    /// Makes blocks until not even a later job is left, and no transaction that is not final or dead.
    pub(crate) async fn quiesce(&self) {
        let left = "SELECT (SELECT count(*) FROM jobs WHERE state = 'due') \
                  + (SELECT count(*) FROM chain_transactions WHERE state NOT IN ('final', 'dead')) AS n";
        self.until("nothing is left to do", async || self.count(left).await == 0)
            .await;
    }

    /// The chain's time, as of the newest block.
    pub(crate) fn chain_time(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.devnet.head_ms()).unwrap()
    }

    /// Staked sun that one account lends to another, by the chain.
    pub(crate) async fn lent(&self, from: TronAddress, to: TronAddress) -> i64 {
        self.node().delegated_energy_sun(from, to).await.unwrap()
    }

    /// A client of the node that remembers nothing.
    pub(crate) fn node(&self) -> TronClient {
        client(&self.world, &(self.clock.clone() as Arc<dyn Clock>))
    }

    /// What a `SELECT count(*) AS n` answers.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        crate::queue_support::count(&self.owner, sql).await
    }

    /// The lines of a `SELECT … AS line`.
    pub(crate) async fn lines(&self, sql: &str) -> Vec<String> {
        let mut conn = acquire(&self.owner).await.unwrap();
        let lines = diesel::sql_query(sql).load::<Line>(&mut conn).await.unwrap();
        lines.into_iter().map(|line| line.line).collect()
    }

    /// Kind and subject of what waits for an operator.
    pub(crate) async fn open_findings(&self) -> Vec<String> {
        let open =
            "SELECT kind || ' ' || subject AS line FROM findings WHERE resolved_at IS NULL ORDER BY kind, subject";
        self.lines(open).await
    }

    /// What is going on, for a test that waited in vain.
    pub(crate) async fn report(&self) -> String {
        let mut text = format!(
            "clock {}  devnet head {} solid {}\n",
            self.clock.now(),
            self.devnet.head(),
            self.devnet.solid()
        );
        for sql in [
            "SELECT concat_ws(' ', 'cursor', head_number, solid_number, tip_number, halted_reason) AS line FROM chain_cursors",
            "SELECT concat_ws(' ', 'job', kind, object_id, state, next_run_at, started_at, runs, last_error_code, last_error) \
             AS line FROM jobs ORDER BY next_run_at LIMIT 30",
            "SELECT concat_ws(' ', 'order', id, state, reason_code, attempts) AS line FROM orders ORDER BY id LIMIT 30",
            "SELECT concat_ws(' ', 'payout', id, state, asset, amount, reason_code, attempts) AS line FROM payouts ORDER BY id LIMIT 30",
            "SELECT concat_ws(' ', 'rental', transfer_id, state, amount_sun, reason_code, held_code) AS line FROM rentals ORDER BY 1 LIMIT 30",
            "SELECT concat_ws(' ', 'sweep', id, state, asset, amount, reason_code, attempts, energy_failures) AS line FROM sweeps ORDER BY id LIMIT 30",
            "SELECT concat_ws(' ', 'staking', id, state, action, resource, amount_sun, reason_code, attempts) AS line FROM stakings ORDER BY id LIMIT 30",
            "SELECT concat_ws(' ', 'tx', intent_kind, state, outcome, sends, last_code, last_message, expires_at) \
             AS line FROM chain_transactions ORDER BY created_at LIMIT 30",
            "SELECT concat_ws(' ', 'wallet', id, state, rejected_reason, isolated_reason, delegatable_sun, reserved_sun, \
             purpose, balance_sun, usdt_micro) \
             AS line FROM supplier_wallets LIMIT 10",
            "SELECT concat_ws(' ', 'finding', kind, subject, detail) AS line FROM findings LIMIT 10",
        ] {
            for line in self.lines(sql).await {
                text.push_str(&line);
                text.push('\n');
            }
        }
        text
    }
}
