//! The pool as a whole: many wallets are read in time, and what is missing from one of them is noticed.

use std::time::{Duration, Instant};

use jobs::JobKind;
use kernel::Clock;
use tron::{Mnemonic, WordCount};

use crate::harness::{Payer, Rig, TRX, Wish};

/// As many wallets as an operator may have.
const WALLETS: u32 = 1_000;
/// That the API takes at a time.
const AT_A_TIME: u32 = 100;
/// In which all of them are to be read.
const WITHIN: Duration = Duration::from_secs(60);

impl Rig {
    /// Hands in so many accounts of fresh words, each staked.
    async fn many_suppliers(&self, count: u32) {
        let words = Mnemonic::generate(WordCount::Twelve).unwrap();
        for index in 0..count {
            let address = words.private_key("", index).unwrap().address();
            self.devnet.faucet(address, 100 * TRX).unwrap();
            self.devnet.stake_energy(address, 1_000 * TRX).unwrap();
        }
        for index in (0..count).step_by(usize::try_from(AT_A_TIME).unwrap()) {
            self.hand_in_accounts(words.expose_phrase(), index, AT_A_TIME).await;
        }
    }

    /// Wallets that were read since.
    async fn read_since(&self, since: chrono::DateTime<chrono::Utc>) -> i64 {
        let read = format!(
            "SELECT count(*) AS n FROM supplier_wallets WHERE synced_at > '{}'",
            since.to_rfc3339()
        );
        self.count(&read).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_wallets_are_read_within_a_minute() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.many_suppliers(WALLETS).await;
    rig.mine(1);
    rig.meanwhile("all are taken in and read", async || {
        rig.count("SELECT count(*) AS n FROM supplier_wallets WHERE synced_at IS NOT NULL")
            .await
            == i64::from(WALLETS)
    })
    .await;
    rig.idle().await;
    let before = rig.clock.now();
    rig.clock.advance(1);
    let (started, calls) = (Instant::now(), rig.devnet.total_calls());
    assert_eq!(rig.read_all_wallets().await, u64::from(WALLETS));
    rig.meanwhile("all are read", async || {
        rig.read_since(before).await == i64::from(WALLETS)
    })
    .await;
    let (took, calls) = (started.elapsed(), rig.devnet.total_calls() - calls);
    println!("{WALLETS} wallets read in {took:?} by one worker, with {calls} calls");
    assert!(took < WITHIN, "{took:?}");
    let kept = rig.count("SELECT count(*) AS n FROM wallet_snapshots").await;
    assert!(kept >= 2 * i64::from(WALLETS), "each read is kept: {kept}");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_somebody_else_empties_sells_nothing_more() {
    let (rig, _worker) = Rig::with_worker().await;
    for kind in ["wallets.coin_missing", "wallets.isolated", "pool.no_wallet_fits"] {
        rig.expect_finding(kind);
    }
    let supplier = rig.supplier(100_000).await;
    let running = rig.order(rig.wish()).await;
    rig.wait_settled(running).await;
    rig.idle().await;
    let thief = Payer::of(supplier.key.clone());
    thief
        .pay(&rig, rig.customer_account(), crate::harness::Sent::Trx(300 * TRX))
        .await;
    rig.mine(1);
    rig.read_all_wallets().await;
    rig.until("it is isolated", async || {
        rig.wallet(supplier.id).await.isolated_at.is_some()
    })
    .await;
    let late = rig.order(rig.wish()).await;
    rig.idle().await;
    assert_eq!(rig.find(late).await.reason_code.as_deref(), Some("no_wallet_fits"));
    // what it has lent is taken back all the same
    rig.pass(300);
    rig.wait_event(running, "reclaimed").await;
    // the owner moved it himself, and says so
    rig.toggle(supplier.id, true).await;
    rig.wait_settled(late).await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_quote_holds_is_delivered_though_others_bought_all_the_rest_and_comes_back_if_nobody_orders() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(60_000).await;
    let all = rig.largest_order().await;
    let wish = rig.wish();
    let quote = rig.hold(wish).await;
    let rest = rig.largest_order().await;
    assert!(rest + wish.energy <= all, "{rest} of {all}");
    let other = Wish {
        energy: rest,
        ..rig.wish()
    };
    let other = rig.order(other).await;
    rig.wait_settled(other).await;
    let order = rig.order_on(wish, Some(&quote)).await.unwrap();
    rig.wait_settled(order).await;
    rig.pass(300);
    rig.wait_event(order, "reclaimed").await;
    rig.wait_event(other, "reclaimed").await;
    rig.until("all can be sold again", async || rig.largest_order().await >= all)
        .await;
    rig.hold(wish).await;
    assert!(rig.largest_order().await < all);
    rig.pass(60);
    rig.ask(JobKind::OrdersCancelExpired, "all").await;
    rig.meanwhile("what nobody ordered is free", async || rig.largest_order().await >= all)
        .await;
    rig.judge().await;
}
