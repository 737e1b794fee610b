//! Customers pay on the chain: once credited, whatever nodes, forks, queues and processes do meanwhile.

use std::cell::RefCell;

use ::devnet::ForkKeep;
use chrono::TimeDelta;
use db::models::OrderState;
use jobs::JobKind;
use kernel::{Asset, OrderId, UserId};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::harness::{
    Does, FIRST_ADDRESS, Payer, Process, Rig, Sent, TRX, address_of, amount_of, environment, key_of_address, watcher,
};
use crate::queue_support::OwnRedis;

const USER: UserId = UserId(1);

impl Rig {
    /// Blocks until so many transfers are decided about.
    async fn until_decided(&self, count: usize) {
        self.until("it is decided", async || {
            let all = self.transfers().await;
            all.iter().filter(|line| !line.starts_with("seen")).count() >= count
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trx_and_usdt_to_a_users_own_address_are_credited_once() {
    let (rig, _worker) = Rig::with_worker().await;
    let before = rig.balance(USER).await;
    let payer = Payer::new(&rig);
    let trx = rig.announce(1, "TRX", "address", Some("20")).await;
    let usdt = rig.announce(1, "USDT", "address", None).await;
    assert_eq!(trx["address"], usdt["address"], "one address per user");
    let other = rig.announce(2, "USDT", "address", None).await;
    assert_ne!(other["address"], usdt["address"]);
    rig.idle().await;

    let to = address_of(&trx);
    payer.pay(&rig, to, Sent::Trx(20 * TRX)).await;
    payer.pay(&rig, to, Sent::Usdt(7 * TRX)).await;
    rig.mine(1);
    rig.idle().await;
    assert_eq!(rig.transfers().await, ["seen", "seen"]);
    assert_eq!(rig.balance(USER).await, before, "it may still be taken back");
    rig.until_decided(2).await;
    assert_eq!(rig.transfers().await, ["credited exact", "credited exact"]);
    assert_eq!(rig.balance(USER).await - before, 20 * TRX);
    assert_eq!(rig.balance_of(USER, Asset::Usdt).await, 7 * TRX);
    let shown = rig.deposit(&trx["id"]).await;
    assert_eq!(
        (&shown["state"], &shown["received"]),
        (&json!("paid"), &json!("20.000000"))
    );
    assert_eq!(shown["transfers"][0]["case"], "exact");
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_shared_address_the_exact_amount_says_who_paid() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("deposits.held");
    let before = rig.balance(USER).await;
    let payer = Payer::new(&rig);
    let [one, other] = [
        rig.announce(1, "TRX", "amount", Some("10")).await,
        rig.announce(2, "TRX", "amount", Some("10")).await,
    ];
    assert_eq!(one["address"], other["address"]);
    assert_ne!(one["amount"], other["amount"]);
    let to = address_of(&one);
    payer.pay(&rig, to, Sent::Trx(amount_of(&one))).await;
    payer.pay(&rig, to, Sent::Trx(10 * TRX)).await;
    let memo = other["memo"].as_str().unwrap().to_owned();
    payer.pay_with(&rig, to, Sent::Trx(4 * TRX), &memo).await;
    rig.until_decided(3).await;
    let mut transfers = rig.transfers().await;
    transfers.sort_unstable();
    assert_eq!(transfers, ["credited exact", "credited partial", "held unmatched"]);
    assert_eq!(rig.balance(USER).await - before, amount_of(&one));
    assert_eq!(rig.balance(UserId(2)).await, 4 * TRX);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_customers_paid_in_is_looked_for_on_the_chain() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.expect_finding("deposits.not_covered");
    let payer = Payer::new(&rig);
    let address = rig.paid_in(&payer, 1, Sent::Trx(20 * TRX)).await;
    rig.paid_in(&payer, 2, Sent::Usdt(9 * TRX)).await;
    let look = async || {
        rig.ask(JobKind::OperationsReconcile, "holdings").await;
        rig.idle().await;
        rig.open_findings().await
    };
    assert!(look().await.is_empty(), "it lies where it was paid to");
    // somebody else holds the key, too
    assert_eq!(key_of_address(0).address(), address);
    let thief = Payer::of(key_of_address(0));
    thief.pay(&rig, payer.address(), Sent::Trx(5 * TRX)).await;
    rig.mine(1);
    assert_eq!(look().await, ["deposits.not_covered holdings:tron:TRX"]);
    // the house's own money stands for it
    rig.treasury(100, 0).await;
    assert!(look().await.is_empty());
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_on_the_chain_buys_an_order() {
    let (rig, _worker) = Rig::with_worker().await;
    rig.supplier(100_000).await;
    let before = rig.balance(USER).await;
    let payer = Payer::new(&rig);
    let wish = rig.wish();
    let order = json!({ "receiver": wish.receiver, "energy": wish.energy, "duration_s": wish.duration_s });
    let deposit = rig
        .announce_as(1, json!({ "asset": "TRX", "way": "amount", "order": order }))
        .await;
    rig.idle().await;
    payer
        .pay(&rig, address_of(&deposit), Sent::Trx(amount_of(&deposit)))
        .await;
    rig.until_decided(1).await;
    rig.until("the order is placed", async || {
        rig.deposit(&deposit["id"]).await["order"]["state"] == "placed"
    })
    .await;
    let shown = rig.deposit(&deposit["id"]).await;
    let order: OrderId = shown["order"]["order_id"].as_str().unwrap().parse().unwrap();
    rig.wait_for(order, OrderState::Completed).await;
    rig.wait_settled(order).await;
    let price = rig.find(order).await.price_sun;
    assert_eq!(
        rig.balance(USER).await - before,
        amount_of(&deposit) - price,
        "the tail is his"
    );
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_takes_a_deposit_back_and_it_is_credited_when_it_lands_again() {
    let (rig, _worker) = Rig::with_worker().await;
    let before = rig.balance(USER).await;
    let payer = Payer::new(&rig);
    let to = address_of(&rig.announce(1, "TRX", "address", None).await);
    rig.idle().await;
    for depth in [1, 2, 2] {
        payer.pay(&rig, to, Sent::Trx(3 * TRX)).await;
        rig.mine(depth);
        rig.idle().await;
        assert_eq!(rig.transfers().await.last().unwrap(), "seen");
        rig.clock.advance(3);
        rig.devnet.fork(depth, &ForkKeep::Keep).unwrap();
        rig.until("it is credited", async || {
            let all = rig.transfers().await;
            all.iter().all(|line| line.starts_with("credited"))
        })
        .await;
    }
    // one that nobody sends again
    payer.pay(&rig, to, Sent::Trx(3 * TRX)).await;
    rig.mine(1);
    rig.idle().await;
    rig.clock.advance(3);
    rig.devnet.fork(1, &ForkKeep::DropAll).unwrap();
    for _ in 0..6 {
        rig.mine(1);
        rig.idle().await;
    }
    assert_eq!(rig.transfers().await.last().unwrap(), "reverted");
    assert_eq!(rig.balance(USER).await - before, 9 * TRX);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_redis_forgets_is_credited_all_the_same() {
    let redis = OwnRedis::up().await;
    let rig = Rig::on(redis.config()).await;
    let before = rig.balance(USER).await;
    let payer = Payer::new(&rig);
    let to = address_of(&rig.announce(1, "TRX", "address", None).await);
    let watching = rig.start(Does::OnlyWatching);
    rig.meanwhile("the chain is read", async || {
        rig.count("SELECT count(*) AS n FROM chain_cursors").await == 1
    })
    .await;
    payer.pay(&rig, to, Sent::Trx(3 * TRX)).await;
    rig.mine(6);
    rig.meanwhile("the job is asked for", async || {
        rig.count("SELECT count(*) AS n FROM jobs WHERE kind = 'deposits.credit'")
            .await
            == 1
    })
    .await;
    watching.kill().await;
    redis.say(&["FLUSHALL"]).await.unwrap();
    let _worker = rig.start(Does::Everything);
    rig.until_decided(1).await;
    assert_eq!(rig.balance(USER).await - before, 3 * TRX);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_named_is_looked_up_and_never_believed() {
    let (rig, _worker) = Rig::with_worker().await;
    let before = rig.balance(USER).await;
    let payer = Payer::new(&rig);
    // paid before the address was known to us
    let future = FIRST_ADDRESS.parse().unwrap();
    let early = payer.pay(&rig, future, Sent::Trx(5 * TRX)).await;
    let elsewhere = payer.pay(&rig, rig.customer_account(), Sent::Trx(5 * TRX)).await;
    for _ in 0..6 {
        rig.mine(1);
        rig.idle().await;
    }
    assert!(rig.transfers().await.is_empty());
    assert_eq!(rig.paid_by(1, &elsewhere).await["standing"], "looking");
    assert_eq!(
        rig.paid_by(1, &"ab".repeat(32)).await["standing"],
        "looking",
        "there is no such one"
    );
    rig.until_decided(1).await;
    let known = rig.paid_by(1, &elsewhere).await;
    assert_eq!(known["standing"], "known");
    assert_eq!(known["transfers"][0]["case"], "unknown_address");
    assert_eq!(rig.balance(USER).await, before);

    let deposit = rig.announce(1, "TRX", "address", None).await;
    assert_eq!(address_of(&deposit), future);
    assert_eq!(rig.paid_by(1, &early).await["standing"], "looking");
    rig.until_decided(2).await;
    let known = rig.paid_by(2, &early).await;
    assert_eq!(known["transfers"][0]["state"], "credited", "{known}");
    assert_eq!(
        known["transfers"][0]["user_id"], 1,
        "the address says whose it is, whoever asks"
    );
    for _ in 0..3 {
        rig.paid_by(1, &early).await;
    }
    assert_eq!(rig.balance(USER).await - before, 5 * TRX);
    assert_eq!(rig.balance(UserId(2)).await, 0);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_watchers_at_once_record_each_deposit_once() {
    let rig = Rig::new().await;
    let _jobs = rig.start(Does::OnlyJobs);
    let env = environment(&rig.world).await;
    // leases that are over at once keep nobody away: only the cursor's own guard is left
    let [one, two] = ["one", "two"].map(|name| watcher(&env, name.into(), TimeDelta::zero()));
    let stop = CancellationToken::new();
    let watching = [one, two].map(|watcher| tokio::spawn(watcher.run(stop.clone())));
    let before = rig.balance_of(USER, Asset::Usdt).await;
    let payer = Payer::new(&rig);
    let to = address_of(&rig.announce(1, "USDT", "address", None).await);
    rig.idle().await;
    for round in 0..8 {
        payer.pay(&rig, to, Sent::Usdt(TRX)).await;
        rig.mine(1);
        rig.idle().await;
        if round % 3 == 0 {
            rig.clock.advance(3);
            rig.devnet.fork(1, &ForkKeep::Keep).unwrap();
        }
    }
    rig.until("all are credited", async || {
        let all = rig.transfers().await;
        all.len() == 8 && all.iter().all(|line| line.starts_with("credited"))
    })
    .await;
    assert_eq!(rig.balance_of(USER, Asset::Usdt).await - before, 8 * TRX);
    rig.quiesce().await;
    stop.cancel();
    futures::future::join_all(watching).await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_are_read_again_bring_what_was_missing_and_change_nothing() {
    let (rig, _worker) = Rig::with_worker().await;
    let payer = Payer::new(&rig);
    // before the address was given out
    payer
        .pay(&rig, FIRST_ADDRESS.parse().unwrap(), Sent::Trx(5 * TRX))
        .await;
    for _ in 0..6 {
        rig.mine(1);
        rig.idle().await;
    }
    let before = rig.balance(USER).await;
    rig.announce(1, "TRX", "address", None).await;
    let solid = rig.devnet.solid().to_string();
    let again = async || {
        let words = ["deposits", "backfill", "--from", "1", "--to", &solid];
        let output = rig.command(&words).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let read: serde_json::Value = serde_json::from_str(&said).unwrap();
        (read["recorded"].as_i64().unwrap(), read["known"].as_i64().unwrap())
    };
    assert_eq!(again().await, (1, 0));
    rig.until_decided(1).await;
    assert_eq!(again().await, (0, 1));
    assert_eq!(rig.transfers().await, ["credited exact"]);
    assert_eq!(rig.balance(USER).await - before, 5 * TRX);
    let listed = rig.command(&["deposits", "list", "--state", "credited"]).await;
    assert!(String::from_utf8_lossy(&listed.stdout).contains("exact"));
    rig.judge().await;
}

/// Waits until nothing is left to do, or the worker is dead: then the answer is no.
async fn come_to_rest(rig: &Rig, process: &mut Process) -> bool {
    let process = RefCell::new(process);
    let over = async || process.borrow_mut().is_killed() || rig.is_idle().await;
    rig.meanwhile("it comes to rest", over).await;
    !process.borrow_mut().is_killed()
}

/// The steps of the worker that a deposit goes through.
const PLACES: [&str; 18] = [
    "blocks.fetched",
    "apply_blocks.begin",
    "apply_blocks.commit",
    "apply_blocks.committed",
    "set_solid.begin",
    "set_solid.commit",
    "set_solid.committed",
    "deposits.credit.begun",
    "credit_deposits.begin",
    "credit_deposits.commit",
    "credit_deposits.committed",
    "expire_deposits.begin",
    "expire_deposits.commit",
    "expire_deposits.committed",
    "deposits.credit.ended",
    "revert_blocks.begin",
    "revert_blocks.commit",
    "revert_blocks.committed",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_step_costs_no_deposit_and_doubles_none() {
    for place in PLACES {
        let (rig, worker) = Rig::with_worker().await;
        let before = rig.balance(USER).await;
        let payer = Payer::new(&rig);
        let to = address_of(&rig.announce(1, "USDT", "address", Some("7")).await);
        rig.idle().await;
        worker.stop().await;
        let mut process = Process::start_killed_at(&rig.world, place);
        payer.pay(&rig, to, Sent::Usdt(7 * TRX)).await;
        payer.pay(&rig, to, Sent::Trx(3 * TRX)).await;
        for step in 0..6 {
            rig.mine(1);
            if !come_to_rest(&rig, &mut process).await {
                break;
            }
            if step == 0 {
                rig.clock.advance(3);
                rig.devnet.fork(1, &ForkKeep::Keep).unwrap();
            }
        }
        assert!(process.end().await, "{place} was not reached");
        rig.clock.advance(60); // by everybody's clock its leases are over
        let _finisher = rig.start(Does::Everything);
        rig.until_decided(2).await;
        let mut transfers = rig.transfers().await;
        transfers.sort_unstable();
        assert_eq!(transfers, ["credited exact", "credited plain"], "{place}");
        assert_eq!(rig.balance(USER).await - before, 3 * TRX);
        assert_eq!(rig.balance_of(USER, Asset::Usdt).await, 7 * TRX);
        assert_eq!(rig.count("SELECT count(*) AS n FROM incoming_transfers").await, 2);
        rig.judge().await;
    }
}
